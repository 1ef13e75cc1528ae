package io.evento.server.gateway;

import static org.awaitility.Awaitility.await;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Membership;
import io.evento.server.config.HealthConfig;
import io.evento.server.config.PersonalConfig;
import io.evento.server.config.ServerConfig;
import io.evento.server.consumer.Consumers;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.security.Caller;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.testing.FreePorts;
import io.evento.testing.TestDatabase;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Proxy;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * All of a node but its container and its links: each bean is made by its one constructor, as CDI
 * would make it, and does its work on a real database.
 */
public final class WholeNode implements AutoCloseable {
  private static final Path CLASSES = classes();

  private final Map<Class<?>, Object> beans = new HashMap<>();
  private final Map<Class<?>, Class<?>> given;
  public final Database database;
  public final Threads threads;

  private WholeNode(
      TestDatabase where,
      String name,
      Map<Setting, Integer> settings,
      Map<Class<?>, Class<?>> given) {
    this.given = given;
    var standard = NodeConfig.of(where, name);
    var port = FreePorts.row(2);
    beans.put(
        ServerConfig.class,
        new ServerConfig(
            standard.node(),
            standard.database(),
            new ServerConfig.Link(port, port + 1),
            new ServerConfig.Http(List.of()),
            standard.webSocket(),
            standard.security()));
    beans.put(HealthConfig.class, new HealthConfig(Optional.empty()));
    beans.put(PersonalConfig.class, new PersonalConfig(Optional.empty(), Optional.empty()));
    threads = new Threads(Thread::new);
    beans.put(Threads.class, threads);
    database = get(Database.class);
    beans.put(Settings.class, new Settings(database, get(EntityManagers.class), threads, settings));
  }

  /**
   * A node that serves.
   *
   * @param settings that differ from the standard
   * @param given classes that stand for others, a test's own
   */
  public static WholeNode start(
      TestDatabase where,
      String name,
      Map<Setting, Integer> settings,
      Map<Class<?>, Class<?>> given) {
    var node = new WholeNode(where, name, settings, given);
    node.get(Catalog.class).load();
    var membership = node.get(Membership.class);
    membership.start();
    var appender = node.get(Appender.class);
    var follower = node.get(Follower.class);
    appender.start();
    follower.start();
    await("the store is read")
        .atMost(Duration.ofSeconds(20))
        .until(() -> appender.isReady() && follower.head().isPresent());
    node.get(Consumers.class).start();
    node.threads
        .timer()
        .scheduleAtFixedRate(node.get(LeasePasses.class)::wake, 1, 1, TimeUnit.SECONDS);
    membership.up();
    await("it is up").atMost(Duration.ofSeconds(20)).until(membership::isBeating);
    return node;
  }

  /** The one of a class, or of what implements an interface. */
  public <T> T get(Class<T> type) {
    return type.cast(beanOf(type));
  }

  private Object beanOf(Class<?> type) {
    var known = beans.get(type);
    if (known != null) {
      return known;
    }
    var made =
        type.isInterface()
            ? beanOf(implementing(type))
            : make(constructor(given.getOrDefault(type, type)));
    beans.put(type, made);
    return made;
  }

  /** Whatever the container would put into the fields of a resource or filter. */
  public <T> T filled(T shell) {
    try {
      for (var field : shell.getClass().getDeclaredFields()) {
        if (field.isAnnotationPresent(Inject.class)) {
          field.setAccessible(true);
          field.set(shell, beanOf(field.getType()));
        }
      }
      return shell;
    } catch (IllegalAccessException closed) {
      throw new IllegalStateException(closed);
    }
  }

  /** The same of a resource that somebody asks. */
  public <T> T askedBy(Caller caller, T resource) {
    var context =
        Proxy.newProxyInstance(
            SecurityContext.class.getClassLoader(),
            new Class<?>[] {SecurityContext.class},
            (self, method, arguments) ->
                method.getName().equals("getUserPrincipal") ? caller : null);
    try {
      for (var field : resource.getClass().getDeclaredFields()) {
        if (field.isAnnotationPresent(Context.class) && field.getType() == SecurityContext.class) {
          field.setAccessible(true);
          field.set(resource, context);
        }
      }
      return filled(resource);
    } catch (IllegalAccessException closed) {
      throw new IllegalStateException(closed);
    }
  }

  private static Constructor<?> constructor(Class<?> type) {
    var all = type.getDeclaredConstructors();
    return Arrays.stream(all)
        .filter(one -> one.isAnnotationPresent(Inject.class))
        .findFirst()
        .or(() -> Arrays.stream(all).filter(one -> one.getParameterCount() == 0).findFirst())
        .orElseThrow(() -> new IllegalStateException("nobody can make a " + type));
  }

  private Object make(Constructor<?> constructor) {
    try {
      var parts = new Object[constructor.getParameterCount()];
      for (var i = 0; i < parts.length; i++) {
        parts[i] =
            constructor.getGenericParameterTypes()[i] instanceof ParameterizedType several
                    && several.getRawType() == Instance.class
                ? all((Class<?>) several.getActualTypeArguments()[0])
                : beanOf(constructor.getParameterTypes()[i]);
      }
      constructor.setAccessible(true);
      return constructor.newInstance(parts);
    } catch (ReflectiveOperationException broken) {
      throw new IllegalStateException("cannot make " + constructor, broken);
    }
  }

  /** As CDI hands out all beans of a type. */
  @SuppressWarnings("unchecked")
  private Object all(Class<?> type) {
    return Proxy.newProxyInstance(
        Instance.class.getClassLoader(),
        new Class<?>[] {Instance.class},
        (self, method, given) ->
            switch (method.getName()) {
              case "iterator" -> List.of(beanOf(type)).iterator();
              case "stream" -> Stream.of(beanOf(type));
              case "forEach" -> {
                List.of(beanOf(type)).forEach((Consumer<Object>) given[0]);
                yield null;
              }
              default -> throw new UnsupportedOperationException(method.getName());
            });
  }

  private static Class<?> implementing(Class<?> type) {
    try (var files = Files.walk(CLASSES.resolve("io/evento/server"))) {
      return files
          .map(file -> CLASSES.relativize(file).toString())
          .filter(name -> name.endsWith(".class") && !name.contains("$"))
          .map(name -> name.substring(0, name.length() - 6).replace('/', '.'))
          .map(WholeNode::load)
          .filter(
              found ->
                  type.isAssignableFrom(found)
                      && found.isAnnotationPresent(NodeScoped.class)
                      && !Modifier.isAbstract(found.getModifiers()))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("nobody implements " + type));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, WholeNode.class.getClassLoader());
    } catch (ClassNotFoundException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static Path classes() {
    try {
      return Path.of(NodeScoped.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void close() {
    get(Membership.class).stop();
    threads.stop();
    get(EntityManagers.class).close();
    database.close();
  }
}
