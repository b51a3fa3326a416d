-- Both generations (picsello-domain.md 2.2), what matters here.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE organizations (id bigserial PRIMARY KEY, name varchar(255) NOT NULL, slug varchar(255) NOT NULL UNIQUE,
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TABLE users (id bigserial PRIMARY KEY, email citext NOT NULL UNIQUE, name varchar(255) NOT NULL,
  organization_id bigint NOT NULL REFERENCES organizations, time_zone varchar(255) DEFAULT 'America/New_York',
  deleted_at timestamp(0), inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TABLE job_types (name varchar(255) PRIMARY KEY, position integer NOT NULL);
INSERT INTO job_types SELECT t, 1 FROM unnest('{wedding,family,maternity,newborn,event,headshot,portrait,mini,boudoir,global}'::text[]) t;
CREATE TABLE clients (id bigserial PRIMARY KEY, name varchar(255), email varchar(255) NOT NULL, phone varchar(255), notes text,
  archived_at timestamp(0), organization_id bigint NOT NULL REFERENCES organizations,
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL, UNIQUE (email, organization_id));
CREATE TABLE packages (id bigserial PRIMARY KEY, name text NOT NULL, shoot_count integer NOT NULL,
  organization_id bigint NOT NULL REFERENCES organizations, base_price jsonb, collected_price jsonb,
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TYPE booking_events_status AS ENUM ('active', 'disabled', 'archive');
CREATE TABLE booking_events (id bigserial PRIMARY KEY, name varchar(255), duration_minutes integer,
  package_template_id bigint REFERENCES packages, dates jsonb, status booking_events_status DEFAULT 'active',
  location varchar(255), address varchar(255), buffer_minutes integer,
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TABLE jobs (id bigserial PRIMARY KEY, type varchar(255) NOT NULL REFERENCES job_types(name),
  client_id bigint NOT NULL REFERENCES clients, package_id bigint REFERENCES packages,
  booking_event_id bigint REFERENCES booking_events, job_name varchar(255), notes text,
  archived_at timestamp(0), completed_at timestamp(0), is_gallery_only boolean DEFAULT false,
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TABLE shoots (id bigserial PRIMARY KEY, job_id bigint REFERENCES jobs, starts_at timestamp(0),
  duration_minutes integer, name text, location text, address text, notes text, reminded_at timestamp(0),
  thanked_at timestamp(0), external_event_id varchar(255), inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE INDEX ON shoots (job_id);
CREATE INDEX ON jobs (client_id);
CREATE INDEX ON clients (organization_id);
CREATE TABLE questionnaires (id bigserial PRIMARY KEY);
CREATE TABLE booking_proposals (id bigserial PRIMARY KEY, job_id bigint REFERENCES jobs,
  questionnaire_id bigint REFERENCES questionnaires, accepted_at timestamp(0), signed_at timestamp(0),
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TABLE questionnaire_answers (id bigserial PRIMARY KEY, proposal_id bigint NOT NULL UNIQUE REFERENCES booking_proposals,
  questionnaire_id bigint NOT NULL, answers jsonb NOT NULL, inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TABLE payment_schedules (id bigserial PRIMARY KEY, job_id bigint NOT NULL REFERENCES jobs, price jsonb,
  due_at timestamp(0) NOT NULL, paid_at timestamp(0), reminded_at timestamp(0), description text NOT NULL,
  type varchar(255) DEFAULT 'stripe', is_with_cash boolean DEFAULT false,
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE INDEX ON payment_schedules (job_id);
CREATE INDEX ON booking_proposals (job_id);
CREATE TABLE package_payment_schedules (id bigserial PRIMARY KEY, interval boolean NOT NULL, price jsonb, percentage integer,
  description varchar(255) NOT NULL, due_interval varchar(255), count_interval varchar(255), time_interval varchar(255),
  shoot_interval varchar(255), due_at date, schedule_date timestamp(0) NOT NULL, package_id bigint REFERENCES packages,
  inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TABLE nylas_details (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, oauth_token varchar(255),
  external_calendar_rw_id varchar(255), inserted_at timestamp(0) NOT NULL, updated_at timestamp(0) NOT NULL);
CREATE TYPE oban_job_state AS ENUM ('available', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
CREATE TABLE oban_jobs (id bigserial PRIMARY KEY, state oban_job_state NOT NULL DEFAULT 'available', queue text NOT NULL DEFAULT 'default',
  worker text NOT NULL, args jsonb NOT NULL DEFAULT '{}', attempt integer NOT NULL DEFAULT 0, max_attempts integer NOT NULL DEFAULT 20,
  inserted_at timestamp NOT NULL, scheduled_at timestamp NOT NULL DEFAULT timezone('UTC', now()));
