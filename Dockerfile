# Built in one stage, run in another: no compiler, no cache, nobody's account.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/grapevine
COPY requirements.lock ./
RUN /opt/grapevine/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md CHANGELOG.md ./
COPY app app
COPY widgets widgets
COPY migrations migrations
RUN /opt/grapevine/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
# Link cards write Arabic, Hebrew and Indic titles with it.
RUN apt-get update && apt-get install -y --no-install-recommends libfribidi0 && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 grapevine \
  && useradd --system --uid 10001 --gid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin grapevine
COPY --from=build /opt/grapevine /opt/grapevine
# It writes to /data and, where SQLite sorts more than fits into memory, to /tmp: all else can be read-only.
ENV PATH=/opt/grapevine/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 GRAPEVINE_DATA_DIR=/data \
  TMPDIR=/tmp SQLITE_TMPDIR=/tmp
# By number: only so can an orchestrator see that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
# `serve` brings the database up to date before it listens; servers that start together take turns.
CMD ["grapevine", "serve", "--host", "0.0.0.0", "--port", "8000"]
