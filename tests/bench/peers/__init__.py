"""Others' programs at the same job as ours, installed from their registries into `var/peers`, in versions that are
written down."""
