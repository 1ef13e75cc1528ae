package io.evento.server.console.capacity;

import java.util.List;

/** Splits what processors do into what they do anyway and what messages cost, by least squares. */
final class Line {
  /** Fewer minutes, or minutes that are all alike, say nothing of the two apart. */
  private static final int POINTS_MIN = 3;

  private static final double SPREAD_MIN = 2;

  private Line() {}

  /**
   * @param perSecond messages
   * @param busy cores in use
   */
  record Point(double perSecond, double busy) {}

  /**
   * The cores that are in use without any message.
   *
   * @return 0 where the points do not tell
   */
  static double fixed(List<Point> points) {
    var least = points.stream().mapToDouble(Point::perSecond).min().orElse(0);
    var most = points.stream().mapToDouble(Point::perSecond).max().orElse(0);
    if (points.size() < POINTS_MIN || most <= 0 || most < SPREAD_MIN * least) {
      return 0;
    }
    var n = points.size();
    var x = points.stream().mapToDouble(Point::perSecond).sum() / n;
    var y = points.stream().mapToDouble(Point::busy).sum() / n;
    var both = 0.0;
    var square = 0.0;
    for (var point : points) {
      both += (point.perSecond() - x) * (point.busy() - y);
      square += (point.perSecond() - x) * (point.perSecond() - x);
    }
    var floor = points.stream().mapToDouble(Point::busy).min().orElse(0);
    var slope = both / square;
    // Where busy minutes are not busier than others, messages cost nothing that is seen.
    return slope <= 0 ? floor : Math.max(0, Math.min(floor, y - slope * x));
  }
}
