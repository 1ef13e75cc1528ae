package io.evento.bundle.session;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.SessionMessage.Hello;
import java.util.List;

/**
 * What is said at the start of each session.
 *
 * @param components that the session hosts
 */
public record Handshake(Hello hello, List<Component> components) {}
