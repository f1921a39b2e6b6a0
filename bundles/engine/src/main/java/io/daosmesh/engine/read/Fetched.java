package io.daosmesh.engine.read;

import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What a fetch found. Immutable.
 *
 * @param values in the order asked, with length, checksum and absence
 * @param data bytes of the present values in that order
 * @param onDone gives the bytes back; call exactly once
 */
public record Fetched(List<ValueMessage> values, ByteBuffer data, Runnable onDone, long epoch, int mapVersion) {}
