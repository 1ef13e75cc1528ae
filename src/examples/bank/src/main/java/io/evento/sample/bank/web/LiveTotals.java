package io.evento.sample.bank.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import io.evento.bundle.EventoBundle;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/**
 * Tells pages the totals as they change, by server-sent events: a subscription query for each page
 * that looks. A page that is not told, as others are looking or the cluster cannot be reached, asks
 * instead.
 */
final class LiveTotals implements HttpHandler, AutoCloseable {
  private static final int PAGES_MAX = 8; // each holds a thread of the web edge
  private static final long PAUSE_MILLIS = 200; // no eye wants to see more
  private static final long SILENCE_MAX_MILLIS = 2_000; // else nobody notices that a page is gone

  private final EventoBundle bundle;
  private final Semaphore free = new Semaphore(PAGES_MAX);
  private final Set<TotalsWatch> watches = ConcurrentHashMap.newKeySet();

  LiveTotals(EventoBundle bundle) {
    this.bundle = bundle;
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!exchange.getRequestMethod().equals("GET")) {
        exchange.sendResponseHeaders(405, -1);
      } else if (!bundle.isConnected() || !free.tryAcquire()) {
        exchange.sendResponseHeaders(503, -1);
      } else {
        try {
          watch(exchange);
        } finally {
          free.release();
        }
      }
    }
  }

  private void watch(HttpExchange exchange) throws IOException {
    try (var watch = new TotalsWatch(bundle.queries())) {
      watches.add(watch);
      exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
      exchange.getResponseHeaders().set("Cache-Control", "no-store");
      exchange.sendResponseHeaders(200, 0);
      try {
        tell(exchange.getResponseBody(), watch);
      } catch (InterruptedException closing) {
        Thread.currentThread().interrupt();
      } finally {
        watches.remove(watch);
      }
    }
  }

  /** Until the page goes away, which a write then notices, or there is nobody to tell anything. */
  private void tell(OutputStream page, TotalsWatch watch) throws IOException, InterruptedException {
    while (!watch.isOver() && bundle.isConnected()) {
      var sums = watch.next(SILENCE_MAX_MILLIS);
      var message =
          sums.isPresent()
              ? "data: " + JsonDoor.text(Invariant.of(sums.get())) + "\n\n"
              : ": nothing new\n\n";
      page.write(message.getBytes(UTF_8));
      page.flush();
      Thread.sleep(PAUSE_MILLIS);
    }
  }

  /** Ends what pages are being told. */
  @Override
  public void close() {
    watches.forEach(TotalsWatch::close);
  }
}
