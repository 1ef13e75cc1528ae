package io.evento.server.telemetry;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One value of a gauge whose labels come and go, such as that of a peer.
 *
 * @param labels by name, in order
 */
public record LabelledValue(Map<String, String> labels, double value) {
  /** With one label. */
  public static LabelledValue of(String label, String labelValue, double value) {
    return new LabelledValue(Map.of(label, labelValue), value);
  }

  /** With two labels. */
  public static LabelledValue of(
      String label, String labelValue, String other, String otherValue, double value) {
    var labels = new LinkedHashMap<String, String>();
    labels.put(label, labelValue);
    labels.put(other, otherValue);
    return new LabelledValue(labels, value);
  }
}
