# what the others extend comes first
from . import step  # isort: skip
from . import action, activity, audience, mail, rights, template, translation, workflow
