package io.daosmesh.client;

import java.nio.ByteBuffer;

/**
 * Answer to one {@link Read}; its bytes have been compared with their checksum. Immutable.
 *
 * @param isAbsent nothing there: a single value that does not exist, an array without a byte in the range
 * @param data the bytes; an array's holes read as zeros
 */
public record Fetched(boolean isAbsent, ByteBuffer data) {}
