/* SPDX-License-Identifier: MIT
 *
 * limits - every bound of the tree in one place.
 *
 * Reaching one is an ordinary, counted outcome, never a crash. Units are last in
 * the name. A module that needs a bound adds it here. */
#pragma once

#define LIMIT_LOG_LINES	 500 /* that are kept for who asks later: Locust's */
#define LIMIT_JSON_DEPTH 64  /* of any JSON text that is scanned (base/json_scan) */

/* Options (src/base) */
#define LIMIT_OPTIONS		192 /* of one program */
#define LIMIT_PROCESSES		256 /* --processes of the load tester */
#define LIMIT_CONFIG_FILE_BYTES (1024 * 1024)

/* HTTP client (src/http, src/net) */
#define LIMIT_URL_BYTES		  8192
#define LIMIT_RESPONSE_HEAD_BYTES (64 * 1024)
#define LIMIT_RESPONSE_HEADERS	  128
#define LIMIT_RESPONSE_BODY_BYTES (64 * 1024 * 1024)
#define LIMIT_BODIES_BYTES	  (1024 * 1024 * 1024) /* of a load thread's large bodies together */
#define LIMIT_CHUNK_LINE_BYTES	  1024
#define LIMIT_TRAILER_BYTES	  (16 * 1024)
#define LIMIT_REQUEST_BYTES	  (16 * 1024 * 1024)
#define LIMIT_PROXY_URL_BYTES	  1024
#define LIMIT_ORIGINS		  1024
#define LIMIT_ORIGIN_ADDRESSES	  16
#define LIMIT_NAME_TTL_S_MIN	  1  /* a name is not looked up more often */
#define LIMIT_ADDRESS_SKIP_S	  10 /* an address that could not be connected is passed over */
#define LIMIT_SOURCE_ADDRESSES	  1024
#define LIMIT_HOST_BYTES	  255 /* DNS allows 253 */
#define LIMIT_REDIRECTS		  30  /* as in Python's requests */
#define LIMIT_DECODED_BODY_BYTES  LIMIT_RESPONSE_BODY_BYTES
/* HTTP/2: of one connection. */
#define LIMIT_H2_WINDOW_BYTES	    (16 * 1024 * 1024) /* that a server may send ahead */
#define LIMIT_H2_IDLE_BYTES	    (1024 * 1024)      /* that bring a request no further */
#define LIMIT_H2_REQUEST_HEAD_BYTES (256 * 1024)       /* as nghttp2 counts it */
#define LIMIT_H2_OUTPUT_BYTES	    (1024 * 1024)      /* that wait for the socket */
/* Of one user. RFC 6265 6.1 asks for 50 of up to 4096 bytes per domain. */
#define LIMIT_COOKIES	       64
#define LIMIT_COOKIE_BYTES     4096
#define LIMIT_COOKIE_JAR_BYTES (32 * 1024)
#define LIMIT_COOKIE_AGE_S     (400LL * 86400) /* RFC 6265bis 5.5 */

/* Statistics (src/stat): names beyond this are counted under one "(others)" row. */
#define LIMIT_STAT_NAMES       10000
#define LIMIT_STAT_ERRORS      5000
#define LIMIT_STAT_BUCKETS     10000
#define LIMIT_STAT_NAME_BYTES  1024
#define LIMIT_STAT_ERROR_BYTES 2048

/* Virtual users (src/user) */
#define LIMIT_USER_CLASSES 256
#define LIMIT_USERS	   10000000
#define LIMIT_THREADS	   256
/* Users that come or go in one turn of a thread's loop: those that run wait meanwhile. */
#define LIMIT_SLICE_USERS 1000
#define LIMIT_SLICE_US	  250
/* What a scenario may ask for. */
#define LIMIT_USER_TASKS	   1024
#define LIMIT_USER_DATA_BYTES	   (16 * 1024 * 1024)
#define LIMIT_OPEN_IN_FLIGHT	   1000000	   /* sessions of an open class */
#define LIMIT_OPEN_WAITING	   10000000	   /* arrivals of an open class */
#define LIMIT_OPEN_PER_S	   1e6		   /* arrivals of one user */
#define LIMIT_WAIT_S		   (366.0 * 86400) /* of waits, sleeps and timeouts */
#define LIMIT_HEADER_VALUE_BYTES   8192		   /* that cic_header() gives out */
#define LIMIT_REQUEST_HEADER_BYTES (64 * 1024)	   /* of one request, beside our own */
#define LIMIT_LOG_LINE_BYTES	   1024		   /* of cic_log() */
#define LIMIT_JSON_PATH_STEPS	   32
#define LIMIT_JSON_TEXT_BYTES	   (64 * 1024) /* that cic_json_text() gives out per response */
/* Its feeds. */
#define LIMIT_FEEDS	      64
#define LIMIT_FEED_FILE_BYTES (256 * 1024 * 1024)
#define LIMIT_FEED_ROW_BYTES  (1024 * 1024 * 1024) /* pointers to the cells of a feed */
#define LIMIT_FEED_COLUMNS    256
#define LIMIT_FEED_NAME_BYTES 256 /* of a JSON key that names a column */
#define LIMIT_FEED_SLICES     20000
/* Its files and its compiler. */
#define LIMIT_SCENARIO_SOURCE_BYTES (4 * 1024 * 1024)
#define LIMIT_SCENARIO_FILE_BYTES   (64 * 1024 * 1024)
#define LIMIT_COMPILER_WORDS	    32 /* in $CC */
#define LIMIT_COMPILER_S	    60

/* Locustfiles in Python (src/python) */
#define LIMIT_LOCUSTFILES	  64 /* that a worker gets from its master */
#define LIMIT_TEST_START_S	  60 /* for what listens to `test_start` on a master */
#define LIMIT_PYTHON_TOLD_BYTES	  (64 * 1024 * 1024) /* of messages it has not taken yet */
#define LIMIT_CUSTOM_BYTES	  (15 * 1024 * 1024) /* of a message of its own */
#define LIMIT_PYTHON_QUIT_S	  30		     /* for what listens to `quitting` */
#define LIMIT_PYTHON_GIVE_WAY_S	  5  /* then a line in the log says what keeps the thread */
#define LIMIT_PYTHON_CLIENT_CONNS 10 /* idle ones that a client keeps, as Python's requests */
#define LIMIT_SHARES		  16 /* percentiles of a table that a locustfile chooses */
#define LIMIT_PYTHON_WAYS	  64 /* of TLS files and proxies that its requests name */
#define LIMIT_PYTHON_HELD	  64 /* users that run until their requests are sent */
#define LIMIT_PYTHON_JSON_BYTES	  (64 * 1024 * 1024) /* of a body; more takes Python's way */
#define LIMIT_PYTHON_JSON_KEPT	  (256 * 1024)	     /* of the memory for it, for the next one */
#define LIMIT_PYTHON_MEMO_TEXT	  4096		     /* of a dict, to be known the next time */
#define LIMIT_PYTHON_MEMO_BYTES	  (4 * 1024 * 1024)  /* of all of them */

/* Test run (src/run) */
#define LIMIT_EXCEPTIONS      1000
#define LIMIT_EXCEPTION_BYTES (16 * 1024) /* of one message, of one traceback */
#define LIMIT_STAGES	      256	  /* of a load shape */
#define LIMIT_SHAPES	      64	  /* of a locustfile */
#define LIMIT_SERIES	      7200	  /* seconds of a window, then joined; even */
#define LIMIT_PARTS	      64	  /* of a window, each with its histogram; even */
#define LIMIT_HISTORY	      1024	  /* items for charts; even */
#define LIMIT_PROFILE_BYTES   256	  /* of the name that people give a test */
#define LIMIT_GATES	      LIMIT_AXIS_VALUES
#define LIMIT_JUNIT_BYTES     LIMIT_CSV_BYTES

/* Cluster (src/cluster) */
#define LIMIT_MESSAGE_BYTES	  (16 * 1024 * 1024)
#define LIMIT_MESSAGE_OBJECTS	  (4 * 1024 * 1024) /* 100 MB while a frame is read */
#define LIMIT_MESSAGE_DEPTH	  16
#define LIMIT_MESSAGE_BUCKETS	  400000	      /* of full resolution, in one report */
#define LIMIT_MESSAGE_SLABS	  16384		      /* that these take in memory: 128 MB */
#define LIMIT_MESSAGE_COUNT	  1000000000000000ull /* any number that is counted */
#define LIMIT_MESSAGE_CPU	  100000.0	      /* percent that a thread may claim */
#define LIMIT_WORKER_ID_BYTES	  255		      /* of a ZeroMQ identity */
#define LIMIT_CLUSTER_PEERS_BYTES (4 * 1024 * 1024)   /* of a file of public keys */
#define LIMIT_WORKERS		  20000
#define LIMIT_WORKER_LOG_BYTES	  (64 * 1024) /* of the log of each that a master keeps */
#define LIMIT_WORKER_OUTBOX	  32  /* frames of one report that wait for the connection */
#define LIMIT_WORKER_EXCEPTIONS	  100 /* sent per second, the rest is dropped */

/* Servers (src/serve): what one request may cost. */
#define LIMIT_TOKEN_BYTES	  256 /* that opens a web interface */
#define LIMIT_LOGIN_USERS	  32
#define LIMIT_LOGIN_FILE_BYTES	  (64 * 1024)
#define LIMIT_PASSWORD_BYTES	  256
#define LIMIT_LOGIN_GUESSES	  5		 /* at once, then one per second */
#define LIMIT_LOGIN_SESSIONS	  256		 /* of browsers */
#define LIMIT_LOGIN_SESSION_S	  (12 * 3600ull) /* since the last request */
#define LIMIT_SERVE_PEM_BYTES	  (256 * 1024)	 /* a certificate with its chain, a key */
#define LIMIT_SERVE_CONNECTIONS	  4096
#define LIMIT_SERVE_BODY_BYTES	  (1024 * 1024)
#define LIMIT_SERVE_IDLE_S	  120
#define LIMIT_SERVE_UPLOAD_S	  120		     /* for one body, however busy its sender */
#define LIMIT_SERVE_DISCARD_BYTES (16 * 1024 * 1024) /* of an unwanted body */
#define LIMIT_BASE_PATH_BYTES	  200		     /* of the web interface */
#define LIMIT_SERVE_QUERY_ARGS	  100		     /* of a URL */
#define LIMIT_SERVE_HEADER_BYTES  4096		     /* that a handler adds to its answer */
/* Of bodies and large answers, in all. */
#define LIMIT_SERVE_HELD_BYTES (512 * 1024 * 1024)

/* Web API (src/web) */
/* More than all rows with the longest texts can make, escaped. */
#define LIMIT_API_BYTES		(512 * 1024 * 1024)
#define LIMIT_API_LOG_BYTES	(64 * 1024 * 1024) /* of all workers; escaped they stay below that */
#define LIMIT_API_ROWS		500		   /* of statistics, of errors: Locust's */
#define LIMIT_CSV_BYTES		(64 * 1024 * 1024)
#define LIMIT_WEB_GUESTS	64 /* requests that wait for a locustfile */
#define LIMIT_WEB_GUEST_S	30
#define LIMIT_API_STOPS		32 /* GET /stop that wait at the same time */
#define LIMIT_WEB_METRICS_BYTES (128 * 1024 * 1024)
#define LIMIT_REPORT_BYTES	(128 * 1024 * 1024)

/* Control plane client (src/fetch) */
#define LIMIT_FETCH_BODY_BYTES (64 * 1024 * 1024)
#define LIMIT_MASTER_CA_BYTES  (1024 * 1024)

/* Kubernetes API client (src/kube) */
#define LIMIT_KUBE_FILE_BYTES  (1024 * 1024) /* a kubeconfig, certificates */
#define LIMIT_KUBE_TOKEN_BYTES (64 * 1024)
#define LIMIT_KUBE_NAME_BYTES  253 /* Kubernetes' own */
#define LIMIT_KUBE_OBJECTS     5000
#define LIMIT_OWED_BYTES       (16 * 1024)	 /* restore.json */
#define LIMIT_CHECKLIST_BYTES  (64 * 1024)	 /* of --dry-run */
#define LIMIT_KUBE_EVENT_BYTES (4 * 1024 * 1024) /* etcd keeps objects of at most 1.5 MB */

/* Inference (src/infer) */
#define LIMIT_PREDICT_BODY_BYTES  (1024 * 1024)
#define LIMIT_MODEL_FILE_BYTES	  (256 * 1024 * 1024)
#define LIMIT_MODEL_JSON_BYTES	  (1024 * 1024)
#define LIMIT_MODEL_NAME_BYTES	  128
#define LIMIT_MODEL_TENSORS	  256
#define LIMIT_MODEL_WINDOW	  4096
#define LIMIT_MODEL_LAYERS	  32
#define LIMIT_MODEL_HIDDEN	  4096
#define LIMIT_MODEL_COLUMNS	  64 /* bits of a uint64_t in predict_body */
#define LIMIT_MODEL_INTERVAL_S	  (366 * 86400)
#define LIMIT_MODELS		  16		      /* that one service has */
#define LIMIT_BATCH		  64		      /* windows that are computed at once */
#define LIMIT_BATCH_BYTES	  (64 * 1024 * 1024)  /* of one thread's buffers for it */
#define LIMIT_PREDICT_QUEUE	  65536		      /* requests that may wait, per thread */
#define LIMIT_PREDICT_WAIT_BYTES  (256 * 1024 * 1024) /* of their numbers, per model and thread */
#define LIMIT_PREDICT_DEADLINE_MS 3600000
#define LIMIT_QUEUE_DELAY_US	  1000000
#define LIMIT_PREDICT_REPLY_BYTES (16 * 1024 * 1024)
/* Of one request: the seconds of a thread that it may cost. */
#define LIMIT_PREDICT_WINDOWS 10000
#define LIMIT_PREDICT_STEPS   10000 /* windows x steps, too */
#define LIMIT_LONG_ASKS	      32    /* per model and thread: requests that need several batches */
/* A request head is at most 32 kB, each byte of it at most six in JSON. */
#define LIMIT_ACCESS_LINE_BYTES (256 * 1024)
#define LIMIT_METRICS_BYTES	(256 * 1024)

/* Capacity (src/capacity) */
#define LIMIT_LEVELS  1000 /* measured load levels that a law or a knee is made of */
#define LIMIT_REPEATS 1000 /* of one scenario, that are compared */

/* Matrix (src/matrix) */
#define LIMIT_SCENARIOS	     10000
#define LIMIT_AXIS_VALUES    64
#define LIMIT_REPLICAS	     1000
#define LIMIT_RETRIES	     10
#define LIMIT_MODEL_WORD     32 /* bytes of the word for the model of load */
#define LIMIT_ANSWER_BYTES   (16 * 1024)
#define LIMIT_REPORT_POINTS  120 /* of these in report.json */
#define LIMIT_EVIDENCE_BYTES (4 * 1024 * 1024)
/* 10,000 rows of at most 1.5 kB in the summaries, with their charts of 20 kB in report.json. */
#define LIMIT_RESULT_FILE_BYTES (256 * 1024 * 1024)
#define LIMIT_SPILL_BYTES	(8 * 1024 * 1024) /* of these files, in memory */
/* The page itself, and such a part, of which a byte may become six. */
#define LIMIT_PAGE_PART_BYTES	 (6 * LIMIT_SPILL_BYTES + 1024 * 1024)
#define LIMIT_JOURNAL_BYTES	 (128 * 1024 * 1024)
#define LIMIT_JOURNAL_LINE_BYTES (64 * 1024) /* that of the plan has paths and lists */

/* The driver's page */
#define LIMIT_LIVE_LINES       200 /* that it shows of what was said */
#define LIMIT_LIVE_LINE_BYTES  512
#define LIMIT_LIVE_BYTES       (1024 * 1024) /* of live.json; a byte of a line may become six */
#define LIMIT_LIVE_CONNECTIONS 64
#define LIMIT_LIVE_FAREWELL_S  5 /* for those who look on to fetch the last row */
