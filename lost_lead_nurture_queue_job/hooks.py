def uninstall_hook(env):
    """Nobody is left to do jobs that wait; what they were for is due, and left to the scheduled
    action."""
    env["nurture.step"]._get_jobs(["wait_dependencies", "pending", "enqueued"]).button_cancelled()
