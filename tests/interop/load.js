'use strict';
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const protos = path.join(__dirname, '..', '..', 'src', 'Protos');
const definition = loader.loadSync(
  [path.join(__dirname, 'echo.proto'), 'addernet/v1/coordination.proto', 'addernet/v1/state_transfer.proto'],
  { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true, includeDirs: [protos, __dirname] });

exports.grpc = grpc;
exports.addernet = grpc.loadPackageDefinition(definition).addernet;
exports.pattern = size => {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31) >> 3;
  return bytes;
};
