-- Contract: runs after the traffic has moved to a release that neither reads nor writes `wording`.
-- Rows that an older release wrote since the expand step have no `label` yet.
UPDATE entries SET label = wording WHERE label IS NULL;
ALTER TABLE entries MODIFY label VARCHAR(200) NOT NULL;
ALTER TABLE entries DROP COLUMN IF EXISTS wording;
