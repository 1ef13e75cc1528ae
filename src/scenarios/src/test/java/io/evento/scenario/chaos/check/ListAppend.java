package io.evento.scenario.chaos.check;

import java.util.List;

/**
 * Somebody read the list of a key and appended to it on the condition that it is still as it was
 * read; the store said yes.
 *
 * @param seen elements that were read, in order
 * @param element that was appended; different for each append
 */
public record ListAppend(String key, List<String> seen, String element, long position) {}
