package io.daosmesh.client;

import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.ContainerMessage;
import java.util.Map;
import java.util.UUID;

/**
 * A container as its pool service knows it. Immutable.
 *
 * @param createdHlc clock value of its making; 0 = not told
 * @param isUnclean more fault domains had failed than it can stand: it may be read only
 * @param catalogueNumber number of its well-known object
 */
public record ContainerInfo(
        UUID uuid,
        String label,
        String type,
        String objectClass,
        int redundancyFactor,
        Map<String, String> properties,
        long createdHlc,
        boolean isUnclean,
        long catalogueNumber) {
    public ContainerInfo {
        properties = Map.copyOf(properties);
    }

    static ContainerInfo fromWire(ContainerMessage m) {
        return new ContainerInfo(
                Ids.uuid(m.getUuid()),
                m.getLabel(),
                m.getType(),
                m.getObjectClass(),
                m.getRdFac(),
                m.getPropertiesMap(),
                m.getCreatedHlc(),
                m.getStatus() != 0,
                m.getCatalogueNumber());
    }
}
