package io.evento.server.monitor;

import java.util.List;

/**
 * What a JMX console shows of this node, as {@code io.evento:type=Node,name=NAME}. The names are
 * those that JMX makes attributes of.
 */
public interface NodeMXBean {
  String getName();

  String getRelease();

  /** {@code joining}, {@code up} or {@code draining}. */
  String getState();

  /** Whether it may be given work. */
  boolean isReady();

  /** Last position of the store that it knows; 0 before it has read the store. */
  long getHead();

  /** The life of the store that it follows; empty before it has read the store. */
  String getEpoch();

  /** Segments of consumers that it holds the leases of. */
  int getSegments();

  /** Events that the segment furthest behind is behind, on any node; -1 if that is not known. */
  long getLagEventsMax();

  /** Age of the oldest event that a segment has not done, on any node; -1 if that is not known. */
  double getLagSecondsMax();

  /** Since the application server's timer made its last pass. */
  long getSinceTimerMillis();

  /** How often that timer was lost and armed again. */
  long getTimerRearms();

  /** Since the last heartbeat that the database took. */
  long getSinceHeartbeatMillis();

  /** Nodes whose link is alive. */
  List<String> getLinks();

  /** Open sessions of bundles. */
  int getSessions();

  /** Commands that have no answer yet. */
  int getCommandsUnderWay();

  /** Kinds and subjects of the alarms that are active in the cluster. */
  List<String> getAlarms();
}
