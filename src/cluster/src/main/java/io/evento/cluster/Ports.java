package io.evento.cluster;

import java.util.Properties;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Where the processes listen; of nodes, links and banks it names the first port, the others follow.
 *
 * @param fd where nodes watch each other for a lost connection
 */
public record Ports(int balancer, int control, int node, int link, int fd, int postgres, int bank) {

  public static final Ports DEFAULT = new Ports(8080, 8079, 8081, 7801, 7901, 5440, 8090);

  /** Reads {@code cluster.port.balancer} and so on; what is not set keeps its default. */
  static Ports from(Properties options) {
    return new Ports(
        port(options, "balancer", DEFAULT.balancer),
        port(options, "control", DEFAULT.control),
        port(options, "node", DEFAULT.node),
        port(options, "link", DEFAULT.link),
        port(options, "fd", DEFAULT.fd),
        port(options, "postgres", DEFAULT.postgres),
        port(options, "bank", DEFAULT.bank));
  }

  /** The same layout elsewhere, so that a second cluster can stand beside the first. */
  public Ports shifted(int by) {
    return new Ports(
        balancer + by, control + by, node + by, link + by, fd + by, postgres + by, bank + by);
  }

  /** Where a standby of the database listens, if there is one. */
  public int standby() {
    return postgres + 1;
  }

  /** Where the OpenID provider listens, if there is one. */
  public int provider() {
    return control - 1;
  }

  /** Every port that a cluster of this size listens on. */
  IntStream all(int nodes, int bundles) {
    return Stream.of(
            IntStream.of(balancer, control, provider(), postgres, standby()),
            IntStream.range(node, node + nodes),
            IntStream.range(link, link + nodes),
            IntStream.range(fd, fd + nodes),
            IntStream.range(bank, bank + bundles))
        .flatMapToInt(each -> each);
  }

  private static int port(Properties options, String name, int otherwise) {
    return Integer.parseInt(
        options.getProperty("cluster.port." + name, Integer.toString(otherwise)));
  }
}
