package io.daosmesh.client.value;

import java.nio.ByteBuffer;

/**
 * Answer to one {@link Read}; its bytes have been compared with their checksum. Immutable.
 *
 * @param isAbsent nothing there: a single value that does not exist, an array without a byte in the range
 * @param data the bytes; an array's holes read as zeros
 * @param version of a single value, as {@link Expected#version} compares it: never the same for two writes; 0 = absent
 */
public record Fetched(boolean isAbsent, ByteBuffer data, long version) {}
