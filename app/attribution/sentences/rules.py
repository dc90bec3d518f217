"""What is said of a policy. Pure."""

from app.attribution.engine import Policy
from app.attribution.sentences.speech import Count, Percent, Said, Seconds, say, together


def of_policy(name: str, version: int, policy: Policy) -> Said:
    """The policy in words: the model, windows, upline and switches."""
    first, last = policy.position
    windows, upline = policy.windows, policy.upline
    alpha, people = Percent(upline.alpha_bp), Count("people", upline.max_depth)
    return together(
        say("policy.version", name=name, version=str(version)),
        say(f"policy.{policy.model}", first=Percent(first), last=Percent(last), half_life=Seconds(policy.half_life)),
        say("policy.windows", click=Seconds(windows.click), like=Seconds(windows.like), view=Seconds(windows.view)),
        say(f"policy.{policy.type_priority}"),
        say(f"policy.upline.{upline.mode}", alpha=alpha, people=people),
        say(f"policy.{policy.self_referral}"),
        say("policy.coupon_on" if policy.coupon_override else "policy.coupon_off"),
        say("policy.reset_on" if policy.journey_reset else "policy.reset_off"),
    )
