/** What a ConfigMap or a Secret may hold in sum (MaxSecretSize). */
export const dataBytesMax = 1024 * 1024;
