"""The clock of the computer jumps."""


def jumping(world, _plan):
    """Forwards a week, back, backwards a week, and on: steps are a day apart."""
    campaign = world.campaign("clock", 8, delay=1)
    for days in (0, 7, 0, -7, 1, -1, 3):
        world.workers.do("tick", clock=days)
        campaign.more_leads(1)
    for days in (30, 40, 50):
        campaign.settle(clock=days)
    return campaign.judge()
