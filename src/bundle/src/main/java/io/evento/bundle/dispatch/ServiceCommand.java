package io.evento.bundle.dispatch;

import io.evento.bundle.payload.PayloadType;

/**
 * Who runs a service's command.
 *
 * @param retry whether it may be run again after a run of which nobody knows how it ended
 */
record ServiceCommand(PayloadType payload, Hosted service, Handler handler, boolean retry) {}
