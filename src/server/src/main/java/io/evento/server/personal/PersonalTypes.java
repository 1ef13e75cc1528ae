package io.evento.server.personal;

import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Collection;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Types with something personal in them, which callers without an SDK must not send: they would
 * tell it in the clear, and it would be kept so for ever. Once a second a node looks whether the
 * catalog has changed, so a type that has become one is known everywhere within two. While the
 * database is away nothing is declared either, so what was read last holds.
 */
@NodeScoped
public class PersonalTypes {
  private static final Logger LOG = System.getLogger(PersonalTypes.class.getName());

  private final Catalog catalog;
  private final Threads threads;
  private final ExecutorService reader;
  private volatile boolean isRead;

  @Inject
  public PersonalTypes(Catalog catalog, Threads threads) {
    this.catalog = catalog;
    this.threads = threads;
    reader = threads.pool("personal-types", 1, 1);
  }

  /** Reads the catalog, and goes on reading it; before the node says that it is ready. Blocks. */
  public void start() {
    catalog.readDeclarations();
    isRead = true;
    threads.timer().scheduleWithFixedDelay(this::wake, 1, 1, TimeUnit.SECONDS);
  }

  private void wake() {
    try {
      reader.execute(this::look);
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the last look at personal types takes long");
    }
  }

  private void look() {
    try {
      catalog.readDeclarations();
    } catch (RuntimeException failure) {
      LOG.log(Level.DEBUG, "personal types not read, the next look retries", failure);
    }
  }

  /**
   * @throws EventoException {@code invalid-request} if the command has something personal
   */
  public void refuseCommand(String type) {
    checkRead();
    if (catalog.isPersonalCommand(type)) {
      throw refused(type);
    }
  }

  /**
   * @param context that they are to have
   * @throws EventoException {@code invalid-request} if one of the events has something personal
   */
  public void refuseEvents(String context, Collection<NewEvent> events) {
    checkRead();
    for (var event : events) {
      if (catalog.isPersonalEvent(context, event.type())) {
        throw refused(event.type());
      }
    }
  }

  private void checkRead() {
    if (!isRead) {
      throw new EventoException(
          ErrorCode.UNAVAILABLE, "this node has not read the catalog yet; try another");
    }
  }

  private static EventoException refused(String type) {
    return EventoException.invalid(
        "",
        type
            + " has personal components: send it by the SDK, which encrypts them; over HTTP they"
            + " would be kept in the clear");
  }
}
