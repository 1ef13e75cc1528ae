package io.evento.protocol.vm;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.JMException;
import javax.management.MBeanInfo;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.ReflectionException;

/**
 * Where bundles find the nodes of their own JVM: by JMX, the one directory that the JDK has for
 * what lives in it, whatever the class loaders. Nothing of it is shown to consoles, and from
 * another JVM there is nothing to be had: a door cannot be serialized.
 */
public final class VmDoors {
  private static final Logger LOG = System.getLogger(VmDoors.class.getName());

  /** With what is spoken behind the door, and how it is opened: another one is not even seen. */
  private static final String KIND = "io.evento:type=BundleDoor,protocol=evento.v1";

  private static final String NODE = "node";
  private static final String PROCESS = "process";
  private static final String DOOR = "door";

  /** Keys of what a bundle gives a door; all but the token are always there. */
  public static final String TOKEN = "token";

  /** A {@code Function<String, CompletionStage<?>>}: {@link VmEnd#take} of the bundle's end. */
  public static final String FRAMES = "frames";

  /** A {@code BiConsumer<Integer, String>}: {@link VmEnd#ended} of the bundle's end. */
  public static final String END = "end";

  /** A {@code BiConsumer} of the same two of the node's end, called if it lets the bundle in. */
  public static final String OPENED = "opened";

  /**
   * A node's door.
   *
   * @param process another one after each start of the node
   * @param open takes what the keys above name; never waits, and answers by what it was given
   */
  public record Door(String node, UUID process, Consumer<Map<String, Object>> open) {}

  private VmDoors() {}

  /**
   * Begins to show a door.
   *
   * @return ends it, so that nothing holds the node's class loader any more
   * @throws JMException if it cannot be shown
   */
  public static Runnable show(Door door) throws JMException {
    // By the process: nodes of two clusters may have one name.
    var name = new ObjectName(KIND + ",process=" + door.process());
    var server = ManagementFactory.getPlatformMBeanServer();
    server.registerMBean(new Bean(door), name);
    return () -> hide(server, name);
  }

  private static void hide(MBeanServer server, ObjectName name) {
    try {
      server.unregisterMBean(name);
    } catch (JMException | RuntimeException gone) {
      LOG.log(Level.DEBUG, "the door was not shown any more");
    }
  }

  /** The doors of this JVM, by the names of their nodes. Starts no JMX where nobody has it. */
  public static List<Door> find() {
    var found = new ArrayList<Door>();
    try {
      var all = new ObjectName(KIND + ",*");
      for (var server : MBeanServerFactory.findMBeanServer(null)) {
        for (var name : server.queryNames(all, null)) {
          read(server, name).ifPresent(found::add);
        }
      }
    } catch (MalformedObjectNameException impossible) {
      throw new IllegalStateException(impossible);
    }
    found.sort(Comparator.comparing(Door::node));
    return found;
  }

  @SuppressWarnings("unchecked") // each side knows what the key stands for
  private static Optional<Door> read(MBeanServer server, ObjectName name) {
    try {
      return Optional.of(
          new Door(
              (String) server.getAttribute(name, NODE),
              (UUID) server.getAttribute(name, PROCESS),
              (Consumer<Map<String, Object>>) server.getAttribute(name, DOOR)));
    } catch (JMException | RuntimeException unfit) {
      LOG.log(Level.DEBUG, () -> "a door went just now, or is none: " + name + " " + unfit);
      return Optional.empty();
    }
  }

  /** Has attributes and shows none. */
  private record Bean(Door door) implements DynamicMBean {
    @Override
    public Object getAttribute(String attribute) throws AttributeNotFoundException {
      return switch (attribute) {
        case NODE -> door.node();
        case PROCESS -> door.process();
        case DOOR -> door.open();
        default -> throw new AttributeNotFoundException(attribute);
      };
    }

    @Override
    public MBeanInfo getMBeanInfo() {
      return new MBeanInfo(
          Bean.class.getName(), "Where bundles of this JVM come in", null, null, null, null);
    }

    @Override
    public void setAttribute(Attribute attribute) throws AttributeNotFoundException {
      throw new AttributeNotFoundException(attribute.getName());
    }

    @Override
    public AttributeList getAttributes(String[] attributes) {
      return new AttributeList();
    }

    @Override
    public AttributeList setAttributes(AttributeList attributes) {
      return new AttributeList();
    }

    @Override
    public Object invoke(String action, Object[] parameters, String[] signature)
        throws ReflectionException {
      throw new ReflectionException(new NoSuchMethodException(action));
    }
  }
}
