package io.evento.bundle;

/** The same against nodes in this JVM, without a socket. */
class EventoBundleInVmTest extends EventoBundleTest {
  @Override
  ScriptedNode make(String id) {
    return new ScriptedNode(id, true);
  }

  /** Not a test here: no balancer stands before a node of this JVM. */
  @Override
  void behind_a_balancer_two_nodes_are_met_and_no_more_sessions_kept() {}
}
