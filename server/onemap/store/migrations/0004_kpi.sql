-- Rates of the last weeks read closed events from this index alone: 30 days of a large city are some 100,000 entries.
CREATE INDEX event_closed ON core.event (closed_at)
INCLUDE (area_code, reported_at, responded_at, deadline_at, resolved_at_level, rating, template)
WHERE closed_at IS NOT NULL;
