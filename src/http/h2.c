/* SPDX-License-Identifier: MIT
 *
 * h2 - see the header. nghttp2 speaks the protocol; here its frames become an exchange.
 *
 * An answer's fields are written as lines and given to the parser of HTTP/1.1, which brings its
 * limits, its skipping of 1xx and its offsets with it. nghttp2 has refused control characters,
 * fields of the connection and lengths that the body does not have; that no field can end its
 * line, and that a head comes first, is checked once more here, because everything behind relies
 * on it.
 *
 * The callbacks only note what happened. What follows from it (an end, another try) is the
 * business of the caller after h2_take() or h2_output(), so that no connection is closed from
 * inside nghttp2.
 *
 * A server that floods is stopped by nghttp2 where we would have to answer (PING, SETTINGS) and
 * by a bound on bytes that bring the request no further, whatever frames they are. */
#include "http/h2.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include "base/failure_class.h"
#include "base/limits.h"
#include "base/mem.h"
#include "http/http_int.h"

/* Output is gathered up to about this, so that a small request is one send. */
#define GATHERED_BYTES (32 * 1024)
/* An empty buffer larger than this is given back; the usual request fits and costs no allocation.
 */
#define KEPT_BYTES_MAX (16 * 1024)

enum fault {
	NO_FAULT,
	FAULT_RESET,	  /* by the server, with code */
	FAULT_MALFORMED,  /* an answer that nghttp2 refused, with detail */
	FAULT_CONNECTION, /* frames that are none, with detail */
	FAULT_NOT_HTTP2,
	FAULT_TERMINATED, /* GOAWAY, with code */
	FAULT_RESPONSE,	  /* r->fault */
	FAULT_TOO_LARGE,
	FAULT_FLOODED
};

struct h2_place {
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	nghttp2_nv *fields; /* of the request being written */
	size_t field_count, field_room;
};

struct h2 {
	struct h2_place *place;
	nghttp2_session *session;
	int32_t stream_id; /* of the request; 0: none */
	enum h2_state state;
	enum fault fault;
	uint32_t code;	     /* with which the stream ended */
	uint32_t going_code; /* of GOAWAY */
	const char *detail;  /* in nghttp2's words, or NULL */
	bool is_tls;
	bool is_broken;	   /* nghttp2 cannot go on */
	bool is_going;	   /* GOAWAY came */
	bool has_settings; /* the server's, which are the proof that it speaks HTTP/2 */
	bool was_reset;	   /* by the server */
	size_t idle_bytes; /* received since the request last got on */
	struct str body;   /* what is left to be sent */
	struct http_response *r;
	struct buf *in;
	struct buf out;
	size_t sent; /* bytes of out */
};

/* --- What happens in nghttp2 ------------------------------------------------------------------ */

static void end_request(struct h2 *h, enum h2_state state, enum fault fault)
{
	if (h->state != H2_WAITING)
		return;
	h->state = state;
	h->fault = fault;
	h->stream_id = 0;
	h->body = (struct str){ 0 };
}

/* The request has failed in a way that leaves nothing of the connection to be trusted. */
static int give_up(struct h2 *h, enum fault fault)
{
	end_request(h, H2_FAILED, fault);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int give_up_on(struct h2 *h, enum http_fault fault)
{
	h->r->fault = (uint8_t)fault;
	return give_up(h, FAULT_RESPONSE);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2 *h = arg;

	(void)session;
	if (frame->hd.stream_id == h->stream_id && !h->r->is_head_done)
		buf_add_text(h->in, "HTTP/1.1 ");
	return 0;
}

static bool ends_line(struct str s)
{
	return memchr(s.p, '\n', s.len) || memchr(s.p, '\r', s.len) || memchr(s.p, '\0', s.len);
}

/* Trailers come when the head is done; nothing in them may change the answer any more. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	struct h2 *h = arg;
	struct str n = { (const char *)name, name_len }, v = { (const char *)value, value_len };

	(void)session;
	(void)flags;
	if (frame->hd.stream_id != h->stream_id || h->r->is_head_done)
		return 0;
	if (h->in->len + n.len + v.len + 4 > LIMIT_RESPONSE_HEAD_BYTES)
		return give_up_on(h, HTTP_HEAD_TOO_BIG);
	if (ends_line(n) || ends_line(v))
		return give_up_on(h, HTTP_BAD_HEADER_NAME);
	if (!str_eq(n, ":status")) {
		buf_add_str(h->in, n);
		buf_add_text(h->in, ": ");
	}
	buf_add_str(h->in, v);
	buf_add_text(h->in, "\r\n");
	return 0;
}

/* All fields of a block came: of 1xx, of the answer, or trailers. */
static int end_head(struct h2 *h)
{
	struct http_response *r = h->r;

	if (r->is_head_done)
		return 0;
	buf_add_text(h->in, "\r\n");
	if (http_response_head(r, h->in->p, h->in->len) == IO_FAIL)
		return give_up(h, FAULT_RESPONSE);
	if (r->is_head_done && r->framing == HTTP_BODY_LENGTH &&
	    r->content_length > LIMIT_RESPONSE_BODY_BYTES)
		return give_up(h, FAULT_TOO_LARGE);
	h->idle_bytes = 0;
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
		   size_t len, void *arg)
{
	struct h2 *h = arg;

	(void)session;
	(void)flags;
	if (stream_id != h->stream_id || !len || !h->r->is_head_done)
		return 0;
	if (len > LIMIT_RESPONSE_BODY_BYTES - h->r->body_bytes)
		return give_up(h, FAULT_TOO_LARGE);
	buf_add(h->in, bytes, len);
	h->r->body_bytes += len;
	h->idle_bytes = 0;
	return 0;
}

/* An answer may come before the request is sent; the rest of it interests nobody any more. */
static int end_answer(struct h2 *h)
{
	int32_t id = h->stream_id;

	if (!h->r->is_head_done)
		return give_up(h, FAULT_MALFORMED);
	if (!nghttp2_session_get_stream_local_close(h->session, id))
		nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
	end_request(h, H2_DONE, NO_FAULT);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2 *h = arg;
	bool is_ours = h->stream_id && frame->hd.stream_id == h->stream_id;
	int error = 0;

	(void)session;
	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		h->has_settings = true;
		return 0;
	case NGHTTP2_GOAWAY:
		h->is_going = true;
		h->going_code = frame->goaway.error_code;
		return 0;
	case NGHTTP2_RST_STREAM:
		h->was_reset = h->was_reset || is_ours;
		return 0;
	case NGHTTP2_HEADERS:
		error = is_ours ? end_head(h) : 0;
		break;
	case NGHTTP2_DATA:
		break;
	default:
		return 0;
	}
	if (!error && is_ours && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		return end_answer(h);
	return error;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
			    void *arg)
{
	(void)session;
	(void)frame;
	((struct h2 *)arg)->detail = nghttp2_strerror(error);
	return 0;
}

/* nghttp2 ends a connection whose frames make no sense, and says so to the server. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2 *h = arg;

	(void)session;
	if (frame->hd.type == NGHTTP2_GOAWAY && !h->detail)
		h->detail = nghttp2_http2_strerror(frame->goaway.error_code);
	return 0;
}

static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *arg)
{
	struct h2 *h = arg;

	(void)session;
	(void)error;
	if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id == h->stream_id)
		end_request(h, H2_REFUSED, FAULT_TERMINATED);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *arg)
{
	struct h2 *h = arg;

	(void)session;
	if (stream_id != h->stream_id)
		return 0;
	h->code = code;
	/* Of streams that a GOAWAY does not count in, nghttp2 says REFUSED_STREAM itself. */
	if (code == NGHTTP2_REFUSED_STREAM && !h->r->is_head_done) {
		end_request(h, H2_REFUSED, h->was_reset ? FAULT_RESET : FAULT_TERMINATED);
	} else if (h->was_reset) {
		end_request(h, H2_FAILED, FAULT_RESET);
	} else {
		end_request(h, H2_FAILED, FAULT_MALFORMED);
	}
	return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
			 uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct h2 *h = arg;
	size_t len = h->body.len < room ? h->body.len : room;

	(void)session;
	(void)source;
	if (stream_id != h->stream_id)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	memcpy(to, h->body.p, len);
	h->body = (struct str){ h->body.p + len, h->body.len - len };
	h->idle_bytes = 0;
	if (!h->body.len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

/* --- Place and connection --------------------------------------------------------------------- */

struct h2_place *h2_place_create(void)
{
	struct h2_place *p = mem_zalloc(1, sizeof(*p));
	nghttp2_session_callbacks *c;

	/* They fail for want of memory only. */
	ensure(nghttp2_session_callbacks_new(&p->callbacks) == 0);
	ensure(nghttp2_option_new(&p->option) == 0);
	c = p->callbacks;
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_sent);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_not_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
	nghttp2_option_set_max_reserved_remote_streams(p->option, 0);
	nghttp2_option_set_max_send_header_block_length(p->option, LIMIT_H2_REQUEST_HEAD_BYTES);
	return p;
}

void h2_place_destroy(struct h2_place **p)
{
	if (!*p)
		return;
	nghttp2_session_callbacks_del((*p)->callbacks);
	nghttp2_option_del((*p)->option);
	mem_free((*p)->fields);
	mem_free(*p);
	*p = NULL;
}

struct h2 *h2_create(struct h2_place *p)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, LIMIT_H2_WINDOW_BYTES },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_RESPONSE_HEAD_BYTES },
	};
	struct h2 *h = mem_zalloc(1, sizeof(*h));

	h->place = p;
	buf_init(&h->out, LIMIT_H2_OUTPUT_BYTES);
	ensure(nghttp2_session_client_new2(&h->session, p->callbacks, h, p->option) == 0);
	ensure(nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
				       sizeof(settings) / sizeof(settings[0])) == 0);
	ensure(nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0,
						     LIMIT_H2_WINDOW_BYTES) == 0);
	return h;
}

void h2_destroy(struct h2 **h)
{
	if (!*h)
		return;
	nghttp2_session_del((*h)->session);
	buf_fini(&(*h)->out);
	mem_free(*h);
	*h = NULL;
}

bool h2_is_ending(const struct h2 *h)
{
	return h->is_broken || h->is_going || !nghttp2_session_want_read(h->session) ||
	       !nghttp2_session_check_request_allowed(h->session);
}

bool h2_can_request(const struct h2 *h)
{
	return h->state != H2_WAITING && !h2_is_ending(h);
}

enum h2_state h2_state(const struct h2 *h)
{
	return h->state;
}

/* --- Requests --------------------------------------------------------------------------------- */

static void add_field(struct h2_place *p, struct str name, struct str value)
{
	if (p->field_count == p->field_room) {
		p->field_room = p->field_room ? p->field_room * 2 : 32;
		p->fields = mem_realloc(p->fields, p->field_room * sizeof(p->fields[0]));
	}
	p->fields[p->field_count++] = (nghttp2_nv){ .name = (uint8_t *)name.p,
						    .namelen = name.len,
						    .value = (uint8_t *)value.p,
						    .valuelen = value.len };
}

/* RFC 9113 8.2.2: what speaks of the connection must not be sent. */
static bool is_of_connection(struct str name, struct str value)
{
	static const char *const names[] = { "connection",     "keep-alive",
					     "upgrade",	       "transfer-encoding",
					     "http2-settings", "proxy-connection" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_case_eq(name, names[i]))
			return true;
	return str_case_eq(name, "te") && !str_case_eq(value, "trailers");
}

/* The line before the next LF, without its CR. */
static struct str take_line(struct str *rest)
{
	struct str line = { 0 };

	str_cut(rest, '\n', &line);
	return str_trim(line);
}

/* Fills place->fields from the request's text, whose lines are our own writing; returns the body.
 * The pseudo fields come first (RFC 9113 8.3). */
static struct str read_request(struct h2_place *p, struct str text, bool is_tls)
{
	struct str rest = text, line = take_line(&rest), method = { 0 }, target = { 0 };

	str_cut(&line, ' ', &method);
	str_cut(&line, ' ', &target);
	p->field_count = 0;
	add_field(p, str_of(":method"), method);
	add_field(p, str_of(":scheme"), str_of(is_tls ? "https" : "http"));
	add_field(p, str_of(":authority"), str_of(""));
	add_field(p, str_of(":path"), target);
	while ((line = take_line(&rest)).len) {
		struct str name = { 0 };

		str_cut(&line, ':', &name);
		line = line.p ? str_trim(line) : str_of("");
		if (str_case_eq(name, "host")) {
			p->fields[2].value = (uint8_t *)line.p;
			p->fields[2].valuelen = line.len;
		} else if (!is_of_connection(name, line)) {
			add_field(p, name, line);
		}
	}
	return rest.p ? rest : str_of("");
}

bool h2_request(struct h2 *h, struct str text, bool is_tls, struct http_response *r, struct buf *in)
{
	nghttp2_data_provider provider = { .read_callback = read_body };
	struct h2_place *p = h->place;
	int32_t id;

	ensure(h2_can_request(h));
	h->body = read_request(p, text, is_tls);
	id = nghttp2_submit_request(h->session, NULL, p->fields, p->field_count,
				    h->body.len ? &provider : NULL, NULL);
	if (id < 0)
		return false;
	h->stream_id = id;
	h->state = H2_WAITING;
	h->fault = NO_FAULT;
	h->detail = NULL;
	h->was_reset = false;
	h->is_tls = is_tls;
	h->idle_bytes = 0;
	h->r = r;
	h->in = in;
	return true;
}

/* --- Bytes ------------------------------------------------------------------------------------ */

/* nghttp2 has given up. Before the server's SETTINGS it is not known to speak HTTP/2 at all. */
static void check_alive(struct h2 *h)
{
	if (!h->is_broken && nghttp2_session_want_read(h->session))
		return;
	end_request(h, H2_FAILED, h->has_settings ? FAULT_CONNECTION : FAULT_NOT_HTTP2);
}

struct str h2_output(struct h2 *h)
{
	const uint8_t *bytes;
	ssize_t n = 0;

	if (h->sent == h->out.len) {
		if (h->out.cap > KEPT_BYTES_MAX)
			buf_fini(&h->out);
		buf_clear(&h->out);
		h->sent = 0;
		while (!h->is_broken && h->out.len < GATHERED_BYTES &&
		       (n = nghttp2_session_mem_send(h->session, &bytes)) > 0)
			buf_add(&h->out, bytes, (size_t)n);
		if (n < 0 || h->out.is_full)
			h->is_broken = true;
		check_alive(h);
	}
	return (struct str){ h->out.p ? h->out.p + h->sent : "", h->out.len - h->sent };
}

void h2_sent(struct h2 *h, size_t bytes)
{
	ensure(bytes <= h->out.len - h->sent);
	h->sent += bytes;
}

void h2_take(struct h2 *h, const char *bytes, size_t len)
{
	ssize_t n;

	if (h->is_broken || !len)
		return;
	h->idle_bytes += len;
	n = nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes, len);
	if (n < 0) {
		h->is_broken = true;
		h->detail = nghttp2_strerror((int)n);
	} else if (h->idle_bytes > LIMIT_H2_IDLE_BYTES) {
		h->is_broken = true;
		end_request(h, H2_FAILED, FAULT_FLOODED);
	}
	check_alive(h);
}

void h2_eof(struct h2 *h)
{
	h->is_broken = true;
	if (h->state != H2_WAITING)
		return;
	if (!h->has_settings && !h->is_tls) {
		end_request(h, H2_FAILED, FAULT_NOT_HTTP2);
	} else if (h->is_going && h->going_code != NGHTTP2_NO_ERROR) {
		end_request(h, H2_FAILED, FAULT_TERMINATED);
	} else {
		h->r->fault = h->r->is_head_done ? HTTP_CLOSED_IN_BODY : HTTP_CLOSED_UNANSWERED;
		end_request(h, H2_FAILED, FAULT_RESPONSE);
	}
}

/* --- Words ------------------------------------------------------------------------------------ */

void h2_failure(const struct h2 *h, char *text)
{
	const char *code = nghttp2_http2_strerror(h->code);
	const char *detail = h->detail ? h->detail : code;

	switch (h->fault) {
	case FAULT_RESET:
		failure_say(text, FAILURE_BYTES, FAILURE_STREAM_RESET,
			    "'the server reset the stream: %s'", code);
		break;
	case FAULT_MALFORMED:
		failure_say(text, FAILURE_BYTES, FAILURE_PROTOCOL,
			    "'the server sent a malformed answer: %s'", detail);
		break;
	case FAULT_CONNECTION:
		failure_say(text, FAILURE_BYTES, FAILURE_PROTOCOL,
			    "'the server broke the rules of HTTP/2: %s'", detail);
		break;
	case FAULT_TERMINATED:
		failure_say(text, FAILURE_BYTES, FAILURE_TERMINATED,
			    "'the server ended the connection: %s'",
			    nghttp2_http2_strerror(h->going_code));
		break;
	case FAULT_TOO_LARGE:
		failure_of_size(text);
		break;
	case FAULT_FLOODED:
		failure_say(text, FAILURE_BYTES, FAILURE_PROTOCOL,
			    "'the server sent %d bytes of frames that bring the "
			    "request no further'",
			    LIMIT_H2_IDLE_BYTES);
		break;
	case FAULT_RESPONSE:
		failure_of_response(text, h->r, h->in->p, h->in->len);
		break;
	default:
		failure_say(text, FAILURE_BYTES, FAILURE_PROTOCOL,
			    "'the server did not answer in HTTP/2%s'",
			    h->is_tls ? ", though it chose it"
				      : "; if it does not speak it unasked, leave out "
					"--http2-prior-knowledge");
	}
}
