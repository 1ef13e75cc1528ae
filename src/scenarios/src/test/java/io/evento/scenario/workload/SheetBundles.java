package io.evento.scenario.workload;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.bundle.api.Upcaster;
import io.evento.scenario.fixture.Cluster;
import java.math.BigDecimal;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;

/** Two releases of a bundle whose payloads hold what is easily lost on the way. */
@NullUnmarked
public final class SheetBundles {
  private SheetBundles() {}

  /** Answered with what the sheet comes to, and the amount that was written last. */
  public record WriteSheet(
      @AggregateId @JsonProperty("sheet_id") String sheetId,
      String text,
      @Nullable BigDecimal amount) {}

  /** Decides something that no encoding can say. */
  public record CutSheet(@AggregateId @JsonProperty("sheet_id") String sheetId) {}

  /** Answered with the property {@code n} of the metadata. */
  public record ReadMetadata(@AggregateId @JsonProperty("sheet_id") String sheetId) {}

  public record Sum(long sum, BigDecimal last) {}

  /** Adds up the lengths of what is written. */
  public static final class Old {
    public static final AtomicInteger CUTS = new AtomicInteger();

    public record SheetWritten(String text, BigDecimal amount) {}

    @Aggregate(context = "probe", snapshotEvery = 3)
    public record Sheet(long sum, BigDecimal last) {
      @CommandHandler
      public static Decision<SheetWritten> write(WriteSheet command, Sheet state) {
        return Decision.reply(told(state), new SheetWritten(command.text(), command.amount()));
      }

      @CommandHandler
      public static SheetWritten cut(CutSheet command, Sheet state) {
        CUTS.incrementAndGet();
        return new SheetWritten("cut \ud83d", null);
      }

      @CommandHandler
      public static Decision<SheetWritten> metadata(
          ReadMetadata command, Sheet state, CommandMetadata told) {
        return Decision.reply(String.valueOf(told.metadata().get("n")));
      }

      private static Sum told(Sheet state) {
        return state == null ? new Sum(0, null) : new Sum(state.sum, state.last);
      }

      @EventSourcingHandler
      public static Sheet written(SheetWritten event, Sheet state) {
        return new Sheet((state == null ? 0 : state.sum) + event.text().length(), event.amount());
      }
    }

    public record Watch(String seen) {}

    /** One for each text that is written. */
    @Saga(name = "sheet-watch", context = "probe", state = Watch.class)
    public static final class Watcher {
      @SagaStart
      @Associate("text")
      public Step<Watch> seen(SheetWritten event) {
        return Step.to(new Watch("once"));
      }
    }

    public static EventoBundle start(Cluster cluster) {
      return SheetBundles.start(cluster, Sheet.class);
    }

    public static EventoBundle startWatching(Cluster cluster) {
      return SheetBundles.start(cluster, Sheet.class, new Watcher());
    }
  }

  /** Counts what is written, and knows events by another version. */
  public static final class New {
    @PayloadVersion(2)
    public record SheetWritten(String text, BigDecimal amount, String by) {
      @Upcaster(from = 1)
      public static ObjectNode signed(ObjectNode old) {
        return old.put("by", "nobody");
      }
    }

    @Aggregate(context = "probe", snapshotEvery = 3, revision = 2)
    public record Sheet(long sum, BigDecimal last) {
      @CommandHandler
      public static Decision<SheetWritten> write(WriteSheet command, Sheet state) {
        var told = state == null ? new Sum(0, null) : new Sum(state.sum, state.last);
        return Decision.reply(told, new SheetWritten(command.text(), command.amount(), "us"));
      }

      @EventSourcingHandler
      public static Sheet written(SheetWritten event, Sheet state) {
        return new Sheet((state == null ? 0 : state.sum) + 1, event.amount());
      }
    }

    public record Watch(int seen) {}

    /** Cannot read what the old release kept. */
    @Saga(name = "sheet-watch", context = "probe", state = Watch.class)
    public static final class Watcher {
      @SagaStart
      @Associate("text")
      public Step<Watch> seen(SheetWritten event) {
        return Step.to(new Watch(1));
      }

      @EventHandler
      @Associate("text")
      public Step<Watch> again(SheetWritten event, Watch state) {
        return Step.to(new Watch(state.seen() + 1));
      }
    }

    public static EventoBundle start(Cluster cluster) {
      return SheetBundles.start(cluster, Sheet.class);
    }

    public static EventoBundle startWatching(Cluster cluster) {
      return SheetBundles.start(cluster, Sheet.class, new Watcher());
    }
  }

  /** Connected to every node. */
  private static EventoBundle start(Cluster cluster, Object... components) {
    var servers = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
    return EventoBundle.named("sheets").connect(servers).register(components).start();
  }
}
