DROP TRIGGER effect_once ON treasury_bankreportrow;
DROP TRIGGER in_one_go ON treasury_bankfileline;
DROP TRIGGER holds_what_it_says ON treasury_bankfile;
DROP TRIGGER by_its_rail ON treasury_paymentattempt;
DROP TRIGGER accepted_in_a_file ON treasury_paymentattempt;
DROP TRIGGER holds_what_waits ON treasury_bankfileline;
DROP FUNCTION treasury_check_file_lines();
DROP FUNCTION treasury_check_file();
DROP FUNCTION treasury_require_whole_file(uuid);
DROP FUNCTION treasury_guard_new_attempt();
DROP FUNCTION treasury_guard_accepted_attempt();
DROP FUNCTION treasury_guard_filed_attempt();
ALTER TABLE treasury_bankreport DROP CONSTRAINT treasury_bankreport_same_provider;
ALTER TABLE treasury_bankfileline
    DROP CONSTRAINT treasury_bankfileline_same_attempt,
    DROP CONSTRAINT treasury_bankfileline_same_file;
ALTER TABLE treasury_paymentattempt DROP CONSTRAINT treasury_attempt_copied;
ALTER TABLE treasury_bankfile DROP CONSTRAINT treasury_bankfile_same_provider;
