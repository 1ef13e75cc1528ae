/**
 * The wire between bundles and nodes: messages, error codes and their JSON form.
 *
 * <p>Frames are UTF-8 texts of one or more JSON objects separated by a line feed; the field {@code
 * t} names the kind. Payloads stay slices of JSON text ({@link io.evento.protocol.Json}): nobody
 * between sender and handler decodes them. Knows nobody; known by the SDK and by every room of the
 * server. Start reading at {@link io.evento.protocol.Message}.
 */
@NullMarked
package io.evento.protocol;

import org.jspecify.annotations.NullMarked;
