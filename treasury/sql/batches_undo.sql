DROP TRIGGER begins_submitted ON treasury_batch;
DROP TRIGGER executes_duly ON treasury_batch;
DROP TRIGGER executor_stays ON treasury_batch;
DROP TRIGGER fixed_when_approved ON treasury_batch;
DROP TRIGGER approves_this_set ON treasury_batchapproval;
DROP TRIGGER fixed_when_processed ON treasury_batchrow;
DROP TRIGGER belongs_to_the_set ON treasury_batchrow;
DROP FUNCTION treasury_guard_new_batch();
DROP FUNCTION treasury_guard_batch();
DROP FUNCTION treasury_guard_batch_approval();
DROP FUNCTION treasury_guard_batch_row();
ALTER TABLE treasury_batchapproval DROP CONSTRAINT treasury_batchapproval_same_maker;
ALTER TABLE treasury_batchrow DROP CONSTRAINT treasury_batchrow_same_requester;
ALTER TABLE treasury_batch
    DROP CONSTRAINT treasury_batch_same_policy,
    DROP CONSTRAINT treasury_batch_same_fund;
