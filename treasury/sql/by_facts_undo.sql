DROP FUNCTION treasury_settle_as_seen(text, treasury_facts, bytea, bytea);
DROP FUNCTION treasury_settle_told(treasury_facts, bytea, bytea);
DROP TYPE treasury_facts;
