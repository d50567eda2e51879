// A real OpenID Connect provider on loopback, for the tests: node provider.mjs PORT REDIRECT_URI
// Whoever names themselves is believed: its sign-in page asks for a name and any password.
import { Provider } from 'oidc-provider';

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const groups = { ann: ['sre', 'everybody'], vic: ['everybody'], eve: [] };

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'kubemend',
    client_secret: 'a-secret-of-the-tests',
    redirect_uris: [redirect],
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }],
  claims: { openid: ['sub'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'profile', 'groups'],
  // Claims stand in the ID token itself, as most providers do it.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  cookies: { keys: ['only-for-tests'] },
  async findAccount(_, id) {
    return { accountId: id, claims: async () => ({ sub: id, name: id.toUpperCase(), groups: groups[id] ?? [] }) };
  },
});

provider.listen(Number(port), '127.0.0.1', () => process.stdout.write(`ready at ${issuer}\n`));
