package io.evento.bundle.consumer;

import java.util.UUID;

/** A place in the order of all events; positions of another epoch say nothing here. */
record Checkpoint(UUID epoch, long position) {}
