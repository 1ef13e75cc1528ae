package io.evento.bundle.session;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.SessionMessage.Hello;
import java.util.List;

/**
 * What is said at the start of each session.
 *
 * @param access by which the node lets us in
 * @param components that the session hosts
 */
public record Handshake(Access access, Hello hello, List<Component> components) {}
