package io.evento.server.telemetry;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one process did of one thing within a minute, so far.
 *
 * @param minute seconds since 1970, a multiple of 60
 * @param times by the ordinal of their {@link Phase}, as {@link Times} encodes them; null for none
 */
record MinuteRow(
    long minute, SeriesKey key, long count, Map<String, Long> errors, byte[] @Nullable [] times) {}
