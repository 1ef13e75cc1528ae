package io.evento.bundle.dispatch;

import io.evento.bundle.payload.PayloadType;

/** Who runs a service's command. */
record ServiceCommand(PayloadType payload, Object service, Handler handler) {}
