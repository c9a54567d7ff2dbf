-- When an instance last said that it is there, and when it stopped with nothing left to store (NULL: it did not).
ALTER TABLE flush_progress
    ADD COLUMN IF NOT EXISTS heard_at TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS stopped_at TIMESTAMPTZ;
