from . import nurture_participant, nurture_past, nurture_sequence, website_track, website_visitor
