package io.evento.server.console;

import io.evento.protocol.EventoException;
import io.evento.server.security.Right;
import io.evento.server.security.Scope;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A scope as answers show it and requests give it.
 *
 * @param right {@code host}, {@code send} or {@code read}
 * @param context a name, or a beginning of names and {@code *}
 * @param type in the same form
 */
record ScopeView(@Nullable String right, @Nullable String context, @Nullable String type) {
  static ScopeView of(Scope scope) {
    return new ScopeView(scope.right().wire(), scope.context(), scope.type());
  }

  /**
   * @throws EventoException {@code invalid-request}
   */
  static List<Scope> read(List<@Nullable ScopeView> given) {
    return IntStream.range(0, given.size())
        .mapToObj(i -> read("/scopes/" + i, given.get(i)))
        .toList();
  }

  private static Scope read(String at, @Nullable ScopeView given) {
    if (given == null) {
      throw EventoException.invalid(at, "must be an object");
    }
    return given.read(at);
  }

  private Scope read(String at) {
    return new Scope(
        right(at + "/right", OperationRequest.required(at + "/right", right)),
        OperationRequest.required(at + "/context", context),
        OperationRequest.required(at + "/type", type));
  }

  /**
   * @throws EventoException {@code invalid-request}
   */
  static Right right(String pointer, String asked) {
    return Stream.of(Right.values())
        .filter(one -> one.wire().equals(asked))
        .findFirst()
        .orElseThrow(
            () -> EventoException.invalid(pointer, "must be host, send, read or personal"));
  }
}
