package io.evento.scenario;

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
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Two releases of one bundle. The second splits the owner of a tab into names, so that its event
 * and its question have a second version.
 */
final class TabBundles {
  private TabBundles() {}

  record OpenTab(@AggregateId String tab, String owner) {}

  record AddLine(@AggregateId String tab, String text) {}

  record LineAdded(String text) {}

  record TabView(String firstName, String lastName) {}

  /** The release before. */
  static final class Old {
    @TypeName("TabOpened")
    record TabOpened(String owner) {}

    @TypeName("FindTab")
    record FindTab(String tab) {}

    @Aggregate(context = "tabs", snapshotEvery = 3)
    record Tab(String owner, int lines) {
      @CommandHandler
      static TabOpened open(OpenTab command) {
        return new TabOpened(command.owner());
      }

      @CommandHandler
      LineAdded add(AddLine command) {
        return new LineAdded(command.text());
      }

      @EventSourcingHandler
      static Tab opened(TabOpened event) {
        return new Tab(event.owner(), 0);
      }

      @EventSourcingHandler
      Tab added(LineAdded event) {
        return new Tab(owner, lines + 1);
      }
    }

    @Projector(name = "tabs", context = "tabs", segments = 4)
    static final class Tabs {
      private final Map<String, String> owners;

      Tabs(Map<String, String> owners) {
        this.owners = owners;
      }

      @EventHandler
      void on(TabOpened event, EventMetadata at) {
        owners.put(at.aggregateId(), event.owner());
      }

      @QueryHandler
      TabView find(FindTab query) {
        var owner = owners.getOrDefault(query.tab(), " ");
        return new TabView(owner.split(" ", -1)[0], owner.split(" ", -1)[1]);
      }
    }

    private Old() {}

    /**
     * @param seen filled by the projector: owners by tab
     */
    static EventoBundle start(Cluster cluster, Map<String, String> seen) {
      return bundle(cluster, Tab.class, new Tabs(seen));
    }
  }

  /** The present release. */
  static final class New {
    @TypeName("TabOpened")
    @PayloadVersion(2)
    record TabOpened(String firstName, String lastName) {
      record V1(String owner) {}

      @Upcaster(from = 1)
      static TabOpened split(V1 old) {
        var names = old.owner().split(" ", 2);
        return new TabOpened(names[0], names[1]);
      }
    }

    @TypeName("FindTab")
    @PayloadVersion(2)
    record FindTab(String tabId) {
      record V1(String tab) {}

      @Upcaster(from = 1)
      static FindTab renamed(V1 old) {
        return new FindTab(old.tab());
      }
    }

    @Aggregate(context = "tabs", snapshotEvery = 3)
    record Tab(String firstName, String lastName, int lines) {
      @CommandHandler
      static TabOpened open(OpenTab command) {
        return TabOpened.split(new TabOpened.V1(command.owner()));
      }

      @CommandHandler
      LineAdded add(AddLine command) {
        return new LineAdded(command.text());
      }

      @EventSourcingHandler
      static Tab opened(TabOpened event) {
        return new Tab(event.firstName(), event.lastName(), 0);
      }

      @EventSourcingHandler
      Tab added(LineAdded event) {
        return new Tab(firstName, lastName, lines + 1);
      }
    }

    @Projector(name = "tabs", context = "tabs", segments = 4)
    static final class Tabs {
      private final Map<String, TabView> views;

      Tabs(Map<String, TabView> views) {
        this.views = views;
      }

      @EventHandler
      void on(TabOpened event, EventMetadata at) {
        views.put(at.aggregateId(), new TabView(event.firstName(), event.lastName()));
      }

      @QueryHandler
      TabView find(FindTab query) {
        return views.getOrDefault(query.tabId(), new TabView("", ""));
      }
    }

    private New() {}

    /**
     * @param seen filled by the projector: views by tab
     */
    static EventoBundle start(Cluster cluster, ConcurrentHashMap<String, TabView> seen) {
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
