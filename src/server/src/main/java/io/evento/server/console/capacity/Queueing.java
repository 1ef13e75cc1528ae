package io.evento.server.console.capacity;

/**
 * Formulas of queueing theory. Times are in milliseconds, rates a second.
 *
 * <p>Sources: M/M/c by Erlang's C formula; G/G/c by the approximation of Allen and Cunneen (A. O.
 * Allen, <i>Probability, Statistics, and Queueing Theory</i>, 2nd edition, 1990, section 5.3.5),
 * which for one server and arrivals by chance is the exact formula of Pollaczek and Khinchine; the
 * tail of the waiting time is taken as exponential for those who wait, which is exact for M/M/c.
 */
final class Queueing {
  private Queueing() {}

  /**
   * How likely somebody who comes has to wait, of M/M/c.
   *
   * @param utilisation of the servers, 0 to 1; from 1 on everybody waits
   */
  static double waits(int servers, double utilisation) {
    if (utilisation >= 1) {
      return 1;
    }
    var offered = utilisation * servers;
    var blocked = 1.0; // Erlang's B, server by server
    for (var n = 1; n <= servers; n++) {
      blocked = offered * blocked / (n + offered * blocked);
    }
    return blocked / (1 - utilisation * (1 - blocked));
  }

  /**
   * The mean time in the queue where arrivals come by chance.
   *
   * @param service mean time that a server is busy with one
   * @param scv squared coefficient of variation of that time: 0 if it is always the same, 1 if it
   *     is exponential
   * @return infinite from a utilisation of 1 on
   */
  static double wait(int servers, double utilisation, double service, double scv) {
    return utilisation >= 1
        ? Double.POSITIVE_INFINITY
        : waits(servers, utilisation) * service / (servers * (1 - utilisation)) * (1 + scv) / 2;
  }

  /**
   * The waiting time that so many do not exceed.
   *
   * @param share of those who come, such as 0.99
   * @param chance that one has to wait
   * @param mean of the waiting time of all
   */
  static double waitAt(double share, double chance, double mean) {
    if (Double.isInfinite(mean)) {
      return mean;
    }
    return chance <= 1 - share ? 0 : mean / chance * Math.log(chance / (1 - share));
  }

  /**
   * The utilisation of one server in whose queue so much time is spent on average: the formula of
   * Pollaczek and Khinchine, the other way round. Where there are many queues, it is that of those
   * which most arrivals meet.
   */
  static double utilisationOfWait(double wait, double service, double scv) {
    var unit = service * (1 + scv) / 2;
    return wait <= 0 || unit <= 0 ? 0 : wait / (wait + unit);
  }

  /**
   * The utilisation of one server, of which only the time from arrival to end is known: M/M/1, the
   * other way round.
   *
   * @param stay mean time in queue and service together
   */
  static double utilisationOfStay(double perSecond, double stay) {
    var inside = perSecond * stay / 1_000;
    return inside / (1 + inside);
  }

  /**
   * How much longer something takes than on processors that nobody else uses: the stay of M/M/c
   * over its service time.
   *
   * @return infinite from a utilisation of 1 on
   */
  static double stretch(int processors, double utilisation) {
    return utilisation >= 1
        ? Double.POSITIVE_INFINITY
        : 1 + waits(processors, utilisation) / (processors * (1 - utilisation));
  }
}
