from . import test_story_of_one
