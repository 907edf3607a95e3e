BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE app_sessions (
	digest VARCHAR(64) NOT NULL, 
	kind VARCHAR(10) NOT NULL, 
	expires DATETIME NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE TABLE assessments (
	id CHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	service_id VARCHAR(100) NOT NULL, 
	hook VARCHAR(100) NOT NULL, 
	hook_instance CHAR(32) NOT NULL, 
	patient_id VARCHAR(255) NOT NULL, 
	client VARCHAR(500), 
	inputs JSON NOT NULL, 
	results JSON NOT NULL, 
	cards JSON NOT NULL, 
	response BLOB NOT NULL, 
	versions JSON NOT NULL, tenant VARCHAR(500), unit VARCHAR(100), elapsed_ms INTEGER, 
	PRIMARY KEY (id)
);
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	kind VARCHAR(30) NOT NULL, 
	subject CHAR(32), 
	digest BLOB NOT NULL, 
	hash BLOB NOT NULL, 
	salt BLOB, 
	content BLOB, 
	PRIMARY KEY (seq)
);
CREATE TABLE audit_head (
	id INTEGER NOT NULL, 
	last BIGINT NOT NULL, 
	hash BLOB NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "audit_head" VALUES(1,0,X'0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE cards (
	uuid CHAR(32) NOT NULL, 
	assessment_id CHAR(32) NOT NULL, 
	patient_id VARCHAR(255) NOT NULL, 
	scope VARCHAR(32) NOT NULL, 
	service_id VARCHAR(100) NOT NULL, 
	findings TEXT NOT NULL, 
	suggestions TEXT NOT NULL, 
	PRIMARY KEY (uuid)
);
CREATE TABLE fallen_back (
	model VARCHAR(100) NOT NULL, 
	version VARCHAR(100) NOT NULL, 
	at DATETIME NOT NULL, 
	reason TEXT NOT NULL, 
	lifted_at DATETIME, 
	lifted_by TEXT, 
	PRIMARY KEY (model, version, at)
);
CREATE TABLE feedback (
	id VARCHAR(64) NOT NULL, 
	card CHAR(32) NOT NULL, 
	assessment_id CHAR(32) NOT NULL, 
	patient_id VARCHAR(255) NOT NULL, 
	scope VARCHAR(32) NOT NULL, 
	service_id VARCHAR(100) NOT NULL, 
	outcome VARCHAR(10) NOT NULL, 
	at DATETIME NOT NULL, 
	outcome_at DATETIME NOT NULL, 
	received DATETIME NOT NULL, 
	accepted TEXT NOT NULL, 
	findings TEXT NOT NULL, 
	proposals TEXT NOT NULL, 
	reason_system TEXT, 
	reason_code TEXT, 
	reason_display TEXT, 
	comment TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE monitored (
	at DATETIME NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (at)
);
CREATE TABLE requests (
	assessment_id CHAR(32) NOT NULL, 
	body BLOB NOT NULL, 
	PRIMARY KEY (assessment_id)
);
CREATE TABLE shown_findings (
	patient_id VARCHAR(255) NOT NULL, 
	scope VARCHAR(32) NOT NULL, 
	finding VARCHAR(255) NOT NULL, 
	service_id VARCHAR(100) NOT NULL, 
	at DATETIME NOT NULL, 
	severity INTEGER NOT NULL, 
	PRIMARY KEY (patient_id, scope, finding)
);
CREATE TABLE token_uses (
	digest VARCHAR(64) NOT NULL, 
	expires BIGINT NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE TABLE worded (
	"key" VARCHAR(64) NOT NULL, 
	service_id VARCHAR(100) NOT NULL, 
	patient_id VARCHAR(255) NOT NULL, 
	scope VARCHAR(32) NOT NULL, 
	assessment_id CHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	reason VARCHAR(100) NOT NULL, 
	lines BLOB NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE wordings (
	"key" VARCHAR(64) NOT NULL, 
	service_id VARCHAR(100) NOT NULL, 
	patient_id VARCHAR(255) NOT NULL, 
	scope VARCHAR(32) NOT NULL, 
	assessment_id CHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	tries INTEGER NOT NULL, 
	taken_until DATETIME, 
	body BLOB NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE INDEX assessments_patient ON assessments (patient_id, at);
CREATE INDEX token_uses_expires ON token_uses (expires);
CREATE INDEX cards_assessment ON cards (assessment_id);
CREATE INDEX feedback_patient ON feedback (patient_id, scope, at);
CREATE INDEX feedback_assessment ON feedback (assessment_id);
CREATE INDEX shown_findings_at ON shown_findings (at);
CREATE INDEX audit_subject ON audit (subject);
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
CREATE TRIGGER audit_keeps_entries BEFORE UPDATE ON audit WHEN NOT (NEW.content IS NULL AND NEW.salt IS NULL AND NEW.subject IS OLD.subject AND NEW.seq = OLD.seq AND NEW.at = OLD.at AND NEW.kind = OLD.kind AND NEW.digest = OLD.digest AND NEW.hash = OLD.hash) BEGIN SELECT RAISE(ABORT, 'the audit record is append-only'); END;
CREATE INDEX assessments_at ON assessments (at);
CREATE INDEX app_sessions_expires ON app_sessions (expires);
CREATE INDEX worded_patient ON worded (patient_id, scope);
CREATE INDEX worded_assessment ON worded (assessment_id);
CREATE INDEX worded_at ON worded (at);
CREATE INDEX wordings_patient ON wordings (patient_id, scope);
CREATE INDEX wordings_assessment ON wordings (assessment_id);
CREATE INDEX wordings_at ON wordings (at);
COMMIT;
