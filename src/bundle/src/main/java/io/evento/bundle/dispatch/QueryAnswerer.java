package io.evento.bundle.dispatch;

import io.evento.bundle.payload.PayloadType;

/** Who answers a type of query. */
record QueryAnswerer(PayloadType payload, Hosted projection, Handler handler) {}
