-- Expand: `wording` becomes `label`. The release before this one knows `wording` only and goes on
-- working; the release after this one writes `label` only, hence the default.
ALTER TABLE entries ADD COLUMN IF NOT EXISTS label VARCHAR(200) NULL AFTER wording;
ALTER TABLE entries MODIFY wording VARCHAR(200) NULL DEFAULT NULL;
UPDATE entries SET label = wording WHERE label IS NULL;
