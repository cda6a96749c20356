DROP FUNCTION treasury_settle_as_seen(text, treasury_facts, bytea, bytea);
DROP FUNCTION treasury_settle_told(treasury_facts, bytea, bytea);
DROP TYPE treasury_facts;
DROP VIEW treasury_standing;
DROP FUNCTION treasury_weighed(uuid, uuid, uuid, uuid, uuid, integer);
