package io.evento.server.eventstore.read;

import jakarta.persistence.AttributeConverter;
import jakarta.persistence.Converter;
import java.util.List;

/** Reads a {@code text[]}; it is never written through JPA. */
@Converter
public class TagsConverter implements AttributeConverter<List<String>, String[]> {
  @Override
  public String[] convertToDatabaseColumn(List<String> tags) {
    throw new UnsupportedOperationException("events are written by the append alone");
  }

  @Override
  public List<String> convertToEntityAttribute(String[] column) {
    return List.of(column);
  }
}
