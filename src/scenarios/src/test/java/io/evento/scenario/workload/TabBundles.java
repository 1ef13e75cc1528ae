package io.evento.scenario.workload;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.TypeName;
import io.evento.bundle.api.Upcaster;
import io.evento.scenario.fixture.Cluster;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Two releases of one bundle. The second splits the owner of a tab into names, so that its event
 * and its question have a second version.
 */
public final class TabBundles {
  private TabBundles() {}

  public record OpenTab(@AggregateId String tab, String owner) {}

  public record AddLine(@AggregateId String tab, String text) {}

  public record LineAdded(String text) {}

  public record TabView(String firstName, String lastName) {}

  /** The release before. */
  public static final class Old {
    @TypeName("TabOpened")
    public record TabOpened(String owner) {}

    @TypeName("FindTab")
    public record FindTab(String tab) {}

    @Aggregate(context = "tabs", snapshotEvery = 3)
    public record Tab(String owner, int lines) {
      @CommandHandler
      public static TabOpened open(OpenTab command) {
        return new TabOpened(command.owner());
      }

      @CommandHandler
      public LineAdded add(AddLine command) {
        return new LineAdded(command.text());
      }

      @EventSourcingHandler
      public static Tab opened(TabOpened event) {
        return new Tab(event.owner(), 0);
      }

      @EventSourcingHandler
      public Tab added(LineAdded event) {
        return new Tab(owner, lines + 1);
      }
    }

    @Projector(name = "tabs", context = "tabs", segments = 4)
    public static final class Tabs {
      private final Map<String, String> owners;

      public Tabs(Map<String, String> owners) {
        this.owners = owners;
      }

      @EventHandler
      public void on(TabOpened event, EventMetadata at) {
        owners.put(at.aggregateId(), event.owner());
      }

      @QueryHandler
      public TabView find(FindTab query) {
        var owner = owners.getOrDefault(query.tab(), " ");
        return new TabView(owner.split(" ", -1)[0], owner.split(" ", -1)[1]);
      }
    }

    private Old() {}

    /**
     * @param seen filled by the projector: owners by tab
     */
    public static EventoBundle start(Cluster cluster, Map<String, String> seen) {
      return bundle(cluster, Tab.class, new Tabs(seen));
    }
  }

  /** The present release. */
  public static final class New {
    @TypeName("TabOpened")
    @PayloadVersion(2)
    public record TabOpened(String firstName, String lastName) {
      record V1(String owner) {}

      @Upcaster(from = 1)
      public static TabOpened split(V1 old) {
        var names = old.owner().split(" ", 2);
        return new TabOpened(names[0], names[1]);
      }
    }

    @TypeName("FindTab")
    @PayloadVersion(2)
    public record FindTab(String tabId) {
      record V1(String tab) {}

      @Upcaster(from = 1)
      public static FindTab renamed(V1 old) {
        return new FindTab(old.tab());
      }
    }

    @Aggregate(context = "tabs", snapshotEvery = 3)
    public record Tab(String firstName, String lastName, int lines) {
      @CommandHandler
      public static TabOpened open(OpenTab command) {
        return TabOpened.split(new TabOpened.V1(command.owner()));
      }

      @CommandHandler
      public LineAdded add(AddLine command) {
        return new LineAdded(command.text());
      }

      @EventSourcingHandler
      public static Tab opened(TabOpened event) {
        return new Tab(event.firstName(), event.lastName(), 0);
      }

      @EventSourcingHandler
      public Tab added(LineAdded event) {
        return new Tab(firstName, lastName, lines + 1);
      }
    }

    @Projector(name = "tabs", context = "tabs", segments = 4)
    public static final class Tabs {
      private final Map<String, TabView> views;

      public Tabs(Map<String, TabView> views) {
        this.views = views;
      }

      @EventHandler
      public void on(TabOpened event, EventMetadata at) {
        views.put(at.aggregateId(), new TabView(event.firstName(), event.lastName()));
      }

      @QueryHandler
      public TabView find(FindTab query) {
        return views.getOrDefault(query.tabId(), new TabView("", ""));
      }
    }

    private New() {}

    /**
     * @param seen filled by the projector: views by tab
     */
    public static EventoBundle start(Cluster cluster, ConcurrentHashMap<String, TabView> seen) {
      return bundle(cluster, Tab.class, new Tabs(seen));
    }
  }

  private static EventoBundle bundle(Cluster cluster, Object... components) {
    return EventoBundle.named("tabs")
        .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
        .register(components)
        .start();
  }
}
