-- The second generation alone.
ALTER TABLE booking_events ADD COLUMN organization_id bigint REFERENCES organizations;
CREATE TABLE booking_event_dates (id bigserial PRIMARY KEY, booking_event_id bigint NOT NULL REFERENCES booking_events,
  date date, location varchar(255), address varchar(255), session_length integer NOT NULL, session_gap integer,
  time_blocks jsonb NOT NULL, slots jsonb NOT NULL, inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE FUNCTION refresh_job_statuses() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN REFRESH MATERIALIZED VIEW job_statuses; RETURN NULL; END';
