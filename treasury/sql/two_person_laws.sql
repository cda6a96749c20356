-- What two people must agree on: money that came back, and a success after a failure.

ALTER TABLE treasury_paymentattempt
    ADD CONSTRAINT treasury_attempt_executor UNIQUE (attempt_id, executor_id);
ALTER TABLE treasury_incident
    ADD CONSTRAINT treasury_incident_copied UNIQUE (incident_id, attempt_id, payment_id);

ALTER TABLE treasury_reversal
    ADD CONSTRAINT treasury_reversal_same_payment FOREIGN KEY (payment_id, requester_id, company_id)
        REFERENCES treasury_payment (payment_id, requester_id, company_id),
    ADD CONSTRAINT treasury_reversal_same_executor FOREIGN KEY (payment_id, executor_id)
        REFERENCES treasury_paymentexecution (payment_id, executor_id);

ALTER TABLE treasury_latesuccess
    ADD CONSTRAINT treasury_latesuccess_same_payment
        FOREIGN KEY (payment_id, requester_id, company_id)
        REFERENCES treasury_payment (payment_id, requester_id, company_id),
    ADD CONSTRAINT treasury_latesuccess_same_executor FOREIGN KEY (attempt_id, executor_id)
        REFERENCES treasury_paymentattempt (attempt_id, executor_id),
    ADD CONSTRAINT treasury_latesuccess_same_incident FOREIGN KEY (incident_id, attempt_id, payment_id)
        REFERENCES treasury_incident (incident_id, attempt_id, payment_id);

-- What was confirmed or withdrawn stays so.
CREATE TRIGGER decided_once BEFORE UPDATE ON treasury_reversal
    FOR EACH ROW WHEN (OLD.confirmed_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL)
    EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER decided_once BEFORE UPDATE ON treasury_latesuccess
    FOR EACH ROW WHEN (OLD.confirmed_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL)
    EXECUTE FUNCTION ledger_refuse_change();

-- A payment is reversed, or succeeds after it failed, only where two people say so.
CREATE FUNCTION treasury_require_two_people() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.status = 'reversed' THEN
        PERFORM FROM treasury_reversal
            WHERE payment_id = NEW.payment_id AND confirmed_at IS NOT NULL;
    ELSE
        PERFORM FROM treasury_latesuccess
            WHERE payment_id = NEW.payment_id AND confirmed_at IS NOT NULL
              AND outcome = 'recognised';
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment %: two people have not agreed that it is %', NEW.payment_id, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_payment_by_two';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER by_two_people AFTER UPDATE OF status ON treasury_payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((NEW.status = 'reversed' AND OLD.status <> 'reversed')
          OR (NEW.status = 'success' AND OLD.status = 'failed'))
    EXECUTE FUNCTION treasury_require_two_people();

-- A paid requisition is approved again only for money that came back.
CREATE FUNCTION treasury_guard_reopening() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM treasury_payment
        WHERE requisition_id = NEW.requisition_id AND status = 'reversed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'requisition % is paid, and nothing of it came back', NEW.requisition_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_requisition_reopened';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reopened_duly BEFORE UPDATE OF status ON treasury_requisition
    FOR EACH ROW WHEN (OLD.status = 'paid' AND NEW.status = 'approved')
    EXECUTE FUNCTION treasury_guard_reopening();
