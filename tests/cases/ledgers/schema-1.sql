BEGIN TRANSACTION;
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	what TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	previous TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "audit" VALUES(1,1728000000000000,'init','{"lineage":"0123456789abcdef0123456789abcdef","schema":1}','0000000000000000000000000000000000000000000000000000000000000000','a88cf6d37efd7eb5775480a2a6f24f464510210c7f1015b317c3c670234fa2b0');
INSERT INTO "audit" VALUES(2,1728000000000000,'accept','{"as_of":20000,"batches":2,"contact_keys":"a7072624250b0050c13f81f9d14bc19068eee378beba7ab2f530143b3a76633e","contacts":{"held_out":1,"reserved":3},"customers":4,"entered":0,"left":0,"model":"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm","plan_id":"p1","serial":1}','a88cf6d37efd7eb5775480a2a6f24f464510210c7f1015b317c3c670234fa2b0','3e42ec3b46f80b1005b46ec32091a63f7f024738a234f3d79f640411fbf0f48d');
INSERT INTO "audit" VALUES(3,1728000000000000,'finish','{"contacts":{"delivered":2,"held_out":1,"unknown":1},"serial":1}','3e42ec3b46f80b1005b46ec32091a63f7f024738a234f3d79f640411fbf0f48d','3d6b911ac8608cdaca6352d0b3c365d1c7beaf11c5e48138937213acac52d4c7');
INSERT INTO "audit" VALUES(4,1728000000000000,'accept','{"as_of":20001,"batches":1,"contact_keys":"88dbf612972c594a2c2f6dde493ef1c4cd27adba8c36e6ebd00b89ff143aba61","contacts":{"reserved":1},"customers":4,"entered":2,"left":3,"model":"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm","plan_id":"p2","serial":2}','3d6b911ac8608cdaca6352d0b3c365d1c7beaf11c5e48138937213acac52d4c7','8245749e3ae5f6d1386d2f5bb4f85388bf6616507815ed75fbd5b4fa9aea9ef0');
CREATE TABLE batches (
	id TEXT NOT NULL, 
	serial BIGINT NOT NULL, 
	place BIGINT NOT NULL, 
	action TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	sink TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	settings TEXT NOT NULL, 
	state TEXT NOT NULL, 
	sha256 TEXT, 
	PRIMARY KEY (id), 
	CONSTRAINT known_state CHECK (state IN ('pending', 'prepared', 'sending', 'done'))
);
INSERT INTO "batches" VALUES('b1',1,0,'winback','sms','files','files','winback.sms','{"folder": "out"}','done','ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff');
INSERT INTO "batches" VALUES('b2',1,1,'winback','sms','files','files','winback.sms','{"folder": "out"}','done',NULL);
INSERT INTO "batches" VALUES('b3',2,0,'winback','sms','files','files','winback.sms','{"folder": "out"}','pending',NULL);
CREATE TABLE changes (
	name BIGINT NOT NULL, 
	serial BIGINT NOT NULL, 
	ordinal BIGINT NOT NULL, 
	entered SMALLINT NOT NULL, 
	PRIMARY KEY (name, serial, ordinal)
)
 WITHOUT ROWID

;
INSERT INTO "changes" VALUES(1,2,0,0);
INSERT INTO "changes" VALUES(1,2,3,1);
INSERT INTO "changes" VALUES(2,2,2,0);
INSERT INTO "changes" VALUES(3,2,2,0);
INSERT INTO "changes" VALUES(3,2,4,1);
CREATE TABLE contacts (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	serial BIGINT NOT NULL, 
	customer BIGINT NOT NULL, 
	action TEXT NOT NULL, 
	n BIGINT NOT NULL, 
	state TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	channel TEXT NOT NULL, 
	contact_class TEXT NOT NULL, 
	variant TEXT, 
	cost BIGINT NOT NULL, 
	batch TEXT, 
	address TEXT, 
	payload TEXT, 
	assignee TEXT, 
	per TEXT, 
	task SMALLINT NOT NULL, 
	due BIGINT, 
	award BIGINT, 
	reason TEXT, 
	attempt BIGINT NOT NULL, 
	body_hash TEXT, 
	PRIMARY KEY (id), 
	CONSTRAINT known_state CHECK (state IN ('reserved', 'sending', 'delivered', 'rejected', 'unknown', 'cancelled', 'held_out'))
);
INSERT INTO "contacts" VALUES(1,'k1',1,0,'winback',1,'delivered',1728000000000000,'sms','marketing','x',500,'b1','h1','p1',NULL,'north',0,NULL,20,NULL,0,NULL);
INSERT INTO "contacts" VALUES(2,'k2',1,1,'winback',1,'unknown',1728000000000000,'sms','marketing',NULL,500,'b2',NULL,NULL,NULL,NULL,0,NULL,NULL,'timeout',1,'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee');
INSERT INTO "contacts" VALUES(3,'k3',1,2,'winback',1,'held_out',1728000000000000,'sms','marketing',NULL,500,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL);
INSERT INTO "contacts" VALUES(4,'k4',1,3,'winback',1,'delivered',1728000000000000,'visit','marketing',NULL,500,'b1',NULL,NULL,'王',NULL,1,20014,NULL,NULL,0,NULL);
INSERT INTO "contacts" VALUES(5,'k5',2,4,'winback',1,'reserved',1728086400000000,'sms','marketing',NULL,500,'b3',NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL);
CREATE TABLE customers (
	ordinal INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	PRIMARY KEY (ordinal), 
	UNIQUE ("key")
);
INSERT INTO "customers" VALUES(0,'a');
INSERT INTO "customers" VALUES(1,'b');
INSERT INTO "customers" VALUES(2,'c');
INSERT INTO "customers" VALUES(3,'d');
INSERT INTO "customers" VALUES(4,'e');
CREATE TABLE forgotten (
	mark TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (mark)
);
INSERT INTO "forgotten" VALUES('mark',0);
CREATE TABLE meta (
	id SMALLINT NOT NULL CONSTRAINT one_row CHECK (id = 1), 
	lineage TEXT NOT NULL, 
	serial BIGINT NOT NULL, 
	epoch BIGINT NOT NULL, 
	schema INTEGER NOT NULL, 
	pepper BLOB NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "meta" VALUES(1,'0123456789abcdef0123456789abcdef',2,0,1,X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',1728000000000000);
CREATE TABLE names (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	latest BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "names" VALUES(1,'vip','f2',2);
INSERT INTO "names" VALUES(2,'lost','',2);
INSERT INTO "names" VALUES(3,'action:winback','f1',2);
CREATE TABLE outbox (
	contact INTEGER NOT NULL, 
	batch TEXT NOT NULL, 
	body BLOB NOT NULL, 
	not_before BIGINT, 
	zone TEXT, 
	PRIMARY KEY (contact)
);
INSERT INTO "outbox" VALUES(5,'b3',X'7B226D657373616765223A22E682A8E5A5BD206B35227D',NULL,NULL);
CREATE TABLE outcomes (
	id INTEGER NOT NULL, 
	contact BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	value BIGINT, 
	PRIMARY KEY (id), 
	CONSTRAINT known_kind CHECK (kind IN ('delivered', 'bounced', 'opened', 'clicked', 'replied', 'unsubscribed', 'subscribed', 'satisfaction', 'task done')), 
	CONSTRAINT outcomes_once UNIQUE (contact, kind, at)
);
INSERT INTO "outcomes" VALUES(1,1,'satisfaction',1728003600000000,45000);
CREATE TABLE points (
	id INTEGER NOT NULL, 
	customer BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	amount BIGINT NOT NULL, 
	expires_at BIGINT, 
	source TEXT NOT NULL, 
	source_row TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT points_once UNIQUE (source, source_row)
);
INSERT INTO "points" VALUES(1,0,1728000000000000,'order',10,1728003600000000,'orders','o1');
INSERT INTO "points" VALUES(2,0,1728000000000000,'winback',20,NULL,'award','k1');
CREATE TABLE runs (
	serial INTEGER NOT NULL, 
	plan_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	as_of BIGINT NOT NULL, 
	planned_at BIGINT NOT NULL, 
	applied_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	model TEXT NOT NULL, 
	version TEXT NOT NULL, 
	git_commit TEXT, 
	git_clean SMALLINT, 
	environment TEXT NOT NULL, 
	author TEXT NOT NULL, 
	with_actions SMALLINT NOT NULL, 
	customers BIGINT NOT NULL, 
	contacts BIGINT NOT NULL, 
	report TEXT NOT NULL, 
	PRIMARY KEY (serial), 
	CONSTRAINT known_state CHECK (state IN ('unfinished', 'finished')), 
	UNIQUE (plan_id)
);
INSERT INTO "runs" VALUES(1,'p1','finished',20000,1728000000000000,1728000000000000,1728000000000000,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','0.1.0',NULL,NULL,'dev','zhang@web1',1,4,4,'{}');
INSERT INTO "runs" VALUES(2,'p2','unfinished',20001,1728086400000000,1728000000000000,NULL,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','0.1.0','3f2a91c',1,'dev','zhang@web1',1,4,1,'{}');
CREATE TABLE snapshots (
	name BIGINT NOT NULL, 
	serial BIGINT NOT NULL, 
	cause TEXT NOT NULL, 
	members BIGINT NOT NULL, 
	bits BLOB, 
	stays BLOB, 
	PRIMARY KEY (name, serial), 
	CONSTRAINT known_cause CHECK (cause IN ('baseline', 'rule', 'data'))
);
INSERT INTO "snapshots" VALUES(1,1,'baseline',2,X'780163060000040004',NULL);
INSERT INTO "snapshots" VALUES(2,1,'baseline',1,X'780163010000050005',NULL);
INSERT INTO "snapshots" VALUES(3,1,'baseline',4,X'7801E3070000100010',NULL);
INSERT INTO "snapshots" VALUES(1,2,'rule',2,X'7801E30200000B000B',X'7801636460606002620000180004');
INSERT INTO "snapshots" VALUES(3,2,'data',4,X'7801930600001C001C',X'78016364606060846226200D00003C0006');
INSERT INTO "snapshots" VALUES(2,2,'rule',0,X'780163000000010001',X'7801030000000001');
CREATE INDEX batches_of_run ON batches (serial, place);
CREATE INDEX contacts_of_batch ON contacts (batch);
CREATE INDEX contacts_of_customer ON contacts (customer);
CREATE INDEX contacts_of_run ON contacts (serial);
CREATE INDEX outbox_of_batch ON outbox (batch);
CREATE INDEX points_of_customer ON points (customer);
CREATE UNIQUE INDEX contacts_by_key ON contacts ("key") WHERE state <> 'cancelled';
COMMIT;
