CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE alarm (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	code INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	severity TEXT NOT NULL, 
	fault TEXT NOT NULL, 
	raised_at TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	count INTEGER DEFAULT '1' NOT NULL, 
	cleared_at TEXT, 
	acked_at TEXT, 
	acked_by TEXT DEFAULT '' NOT NULL
);

CREATE UNIQUE INDEX uq_alarm_standing ON alarm (code, source) WHERE cleared_at IS NULL;

CREATE TABLE app_user (
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	disabled BOOLEAN DEFAULT (false) NOT NULL, 
	created_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_app_user PRIMARY KEY (name)
);

CREATE TABLE effect (
	effect_id TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	station TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	machine TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	sequence INTEGER NOT NULL, 
	boot INTEGER NOT NULL, 
	job INTEGER NOT NULL, 
	extra TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_effect PRIMARY KEY (effect_id), 
	CONSTRAINT uq_effect_subject_kind_generation UNIQUE (subject, kind, generation)
);

CREATE INDEX ix_effect_job ON effect (job);

CREATE INDEX ix_effect_state ON effect (state, created_at);

CREATE TABLE exception (
	exception_id TEXT NOT NULL, 
	code INTEGER NOT NULL, 
	station TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	effect_id TEXT DEFAULT '' NOT NULL, 
	opened_at TEXT NOT NULL, 
	fault TEXT NOT NULL, 
	actions TEXT NOT NULL, 
	state TEXT DEFAULT 'open' NOT NULL, 
	resolution TEXT NOT NULL, 
	closed_at TEXT, 
	CONSTRAINT pk_exception PRIMARY KEY (exception_id)
);

CREATE INDEX ix_exception_state ON exception (state, opened_at);

CREATE INDEX ix_exception_subject ON exception (subject);

CREATE UNIQUE INDEX uq_exception_open ON exception (code, station, subject) WHERE state = 'open';

CREATE TABLE inbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	channel TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	delivery_id TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	headers TEXT NOT NULL, 
	body BLOB NOT NULL, 
	sha256 TEXT NOT NULL, 
	state TEXT DEFAULT 'pending' NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	settled_at TEXT, fault TEXT DEFAULT '{}' NOT NULL, 
	CONSTRAINT uq_inbox_kind_channel_delivery_id UNIQUE (kind, channel, delivery_id)
);

CREATE INDEX ix_inbox_state ON inbox (state, id);

CREATE TABLE item (
	sku TEXT NOT NULL, 
	merchant TEXT DEFAULT '' NOT NULL, 
	name TEXT DEFAULT '' NOT NULL, 
	weight_g INTEGER DEFAULT '0' NOT NULL, 
	length_mm INTEGER DEFAULT '0' NOT NULL, 
	width_mm INTEGER DEFAULT '0' NOT NULL, 
	height_mm INTEGER DEFAULT '0' NOT NULL, 
	picture TEXT DEFAULT '' NOT NULL, 
	location TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_item PRIMARY KEY (sku)
);

CREATE TABLE journal (
	seq INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	order_id TEXT NOT NULL, 
	station TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	data TEXT NOT NULL, 
	prev TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	CONSTRAINT pk_journal PRIMARY KEY (seq)
);

CREATE INDEX ix_journal_kind ON journal (kind, at);

CREATE INDEX ix_journal_order_id ON journal (order_id, seq);

CREATE INDEX ix_journal_subject ON journal (subject, seq);

CREATE TABLE login_attempt (
	id INTEGER NOT NULL, 
	user TEXT NOT NULL, 
	address TEXT NOT NULL, 
	at TEXT NOT NULL, 
	ok BOOLEAN NOT NULL, 
	CONSTRAINT pk_login_attempt PRIMARY KEY (id)
);

CREATE INDEX ix_login_attempt_address ON login_attempt (address, at);

CREATE INDEX ix_login_attempt_user ON login_attempt (user, at);

CREATE TABLE machine_epoch (
	machine TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	CONSTRAINT pk_machine_epoch PRIMARY KEY (machine)
);

CREATE TABLE meta (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY (name)
);

CREATE TABLE orders (
	order_id TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	merchant TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	state TEXT NOT NULL, 
	received_at TEXT NOT NULL, 
	reserve_until TEXT, 
	pay_until TEXT, 
	reason TEXT DEFAULT '' NOT NULL, 
	priority INTEGER DEFAULT '5' NOT NULL, 
	changed_at TEXT NOT NULL, ship_by TEXT DEFAULT '9999-12-31T23:59:59.999999+00:00' NOT NULL, 
	CONSTRAINT pk_orders PRIMARY KEY (order_id)
);

CREATE TABLE picture (
	picture_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	order_id TEXT NOT NULL, 
	note TEXT DEFAULT '' NOT NULL, 
	camera TEXT NOT NULL, 
	frame INTEGER NOT NULL, 
	captured_at TEXT NOT NULL, 
	kept_at TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	CONSTRAINT pk_picture PRIMARY KEY (picture_id)
);

CREATE INDEX ix_picture_order_id ON picture (order_id, kept_at);

CREATE INDEX ix_picture_subject ON picture (subject, kept_at);

CREATE TABLE request (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" TEXT NOT NULL, 
	action TEXT NOT NULL, 
	args TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	role TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	expires_at TEXT NOT NULL, 
	state TEXT DEFAULT 'new' NOT NULL, 
	result TEXT NOT NULL, 
	finished_at TEXT, 
	CONSTRAINT uq_request_key UNIQUE ("key")
);

CREATE INDEX ix_request_state ON request (state, id);

CREATE TABLE serial (
	name TEXT NOT NULL, 
	last INTEGER NOT NULL, 
	CONSTRAINT pk_serial PRIMARY KEY (name)
);

CREATE TABLE subscriber (
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	CONSTRAINT pk_subscriber PRIMARY KEY (name)
);

CREATE TABLE effect_history (
	id INTEGER NOT NULL, 
	effect_id TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	state TEXT NOT NULL, 
	ticket TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	CONSTRAINT pk_effect_history PRIMARY KEY (id), 
	CONSTRAINT fk_effect_history_effect_id FOREIGN KEY(effect_id) REFERENCES effect (effect_id)
);

CREATE INDEX ix_effect_history_effect_id ON effect_history (effect_id, id);

CREATE TABLE item_alias (
	barcode TEXT NOT NULL, 
	sku TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_item_alias PRIMARY KEY (barcode, sku), 
	CONSTRAINT fk_item_alias_sku FOREIGN KEY(sku) REFERENCES item (sku) ON DELETE CASCADE
);

CREATE INDEX ix_item_alias_sku ON item_alias (sku);

CREATE TABLE outbox (
	event_id TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	name TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	order_id TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_outbox PRIMARY KEY (event_id), 
	CONSTRAINT fk_outbox_seq FOREIGN KEY(seq) REFERENCES journal (seq)
);

CREATE INDEX ix_outbox_at ON outbox (at);

CREATE INDEX ix_outbox_seq ON outbox (seq);

CREATE TABLE parcel (
	lpn TEXT NOT NULL, 
	order_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	place TEXT DEFAULT '' NOT NULL, 
	sscc TEXT DEFAULT '' NOT NULL, 
	print_number INTEGER DEFAULT '0' NOT NULL, 
	generation INTEGER DEFAULT '0' NOT NULL, 
	visits INTEGER DEFAULT '0' NOT NULL, 
	approval TEXT DEFAULT '' NOT NULL, 
	approve_until TEXT, 
	held BOOLEAN DEFAULT (false) NOT NULL, 
	bench BOOLEAN DEFAULT (false) NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	resume TEXT DEFAULT '' NOT NULL, 
	opened_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_parcel PRIMARY KEY (lpn), 
	CONSTRAINT fk_parcel_order_id FOREIGN KEY(order_id) REFERENCES orders (order_id)
);

CREATE INDEX ix_parcel_order_id ON parcel (order_id);

CREATE INDEX ix_parcel_place ON parcel (place);

CREATE INDEX ix_parcel_state ON parcel (state);

CREATE TABLE picture_blob (
	picture_id TEXT NOT NULL, 
	jpeg BLOB NOT NULL, 
	CONSTRAINT pk_picture_blob PRIMARY KEY (picture_id), 
	CONSTRAINT fk_picture_blob_picture_id FOREIGN KEY(picture_id) REFERENCES picture (picture_id)
);

CREATE TABLE session (
	token_sha256 TEXT NOT NULL, 
	user TEXT NOT NULL, 
	csrf TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	seen_at TEXT NOT NULL, 
	idle_until TEXT NOT NULL, 
	until TEXT NOT NULL, 
	CONSTRAINT pk_session PRIMARY KEY (token_sha256), 
	CONSTRAINT fk_session_user FOREIGN KEY(user) REFERENCES app_user (name) ON DELETE CASCADE
);

CREATE INDEX ix_session_user ON session (user);

CREATE TABLE unit (
	unit_id TEXT NOT NULL, 
	order_id TEXT NOT NULL, 
	line_no INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	sku TEXT NOT NULL, 
	state TEXT NOT NULL, 
	station TEXT DEFAULT '' NOT NULL, 
	lpn TEXT DEFAULT '' NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_unit PRIMARY KEY (unit_id), 
	CONSTRAINT fk_unit_order_id FOREIGN KEY(order_id) REFERENCES orders (order_id), 
	CONSTRAINT uq_unit_order_id_line_no_n UNIQUE (order_id, line_no, n)
);

CREATE INDEX ix_unit_lpn ON unit (lpn);

CREATE INDEX ix_unit_state ON unit (state, station);

CREATE TABLE delivery (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	event_id TEXT NOT NULL, 
	subscriber TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	stream TEXT NOT NULL, 
	state TEXT DEFAULT 'pending' NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_at TEXT NOT NULL, 
	claimed BOOLEAN DEFAULT (false) NOT NULL, 
	answer TEXT DEFAULT '' NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT fk_delivery_event_id FOREIGN KEY(event_id) REFERENCES outbox (event_id), 
	CONSTRAINT uq_delivery_event_id_subscriber UNIQUE (event_id, subscriber)
);

CREATE INDEX ix_delivery_pending ON delivery (subscriber, stream, seq) WHERE state = 'pending';

CREATE TABLE label (
	sscc TEXT NOT NULL, 
	lpn TEXT NOT NULL, 
	print_number INTEGER NOT NULL, 
	generation INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	assigned_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	CONSTRAINT pk_label PRIMARY KEY (sscc), 
	CONSTRAINT fk_label_lpn FOREIGN KEY(lpn) REFERENCES parcel (lpn), 
	CONSTRAINT uq_label_lpn_generation UNIQUE (lpn, generation), 
	CONSTRAINT uq_label_print_number UNIQUE (print_number)
);

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE INDEX ix_delivery_next ON delivery (subscriber, next_at, seq, id) WHERE state = 'pending';

CREATE INDEX ix_delivery_parked ON delivery (subscriber) WHERE state = 'parked';

CREATE INDEX ix_orders_external_id ON orders (external_id);

CREATE INDEX ix_orders_state ON orders (state, priority, ship_by, received_at, order_id)
